"""Client programs of a story: run to their end, or beside it until it ends them by their own pid."""

import contextlib
import os
import pty
import signal
import subprocess
import threading

from tests.stories.house import PATIENCE_S


def ran(*words, well=(0,), **how):
    """All that the program said, once it has ended `well`: with one of these exit codes."""
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S, **how)
    except subprocess.TimeoutExpired as expired:
        said = (expired.stdout or b"").decode(errors="replace")
        raise AssertionError(f"{words[0]} has not ended:\n{said[-6000:]}") from None
    said = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    assert done.returncode in well, f"{words[0]} ended with {done.returncode}:\n{said[-6000:]}"
    return said


class Program:
    """A program at work, with what it says in `said`; at the end of the block it is gone, whatever happened."""

    def __init__(self, *words, **how):
        self._words = words
        self._changed = threading.Condition()
        self._deaf = threading.Event()
        self.said = ""
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            **how,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self):
        for line in self.process.stdout:
            with self._changed:
                self.said += line
                self._changed.notify_all()
        self._deaf.set()
        with self._changed:
            self._changed.notify_all()

    def hears(self, words, times=1):
        """Wait until it has said the words so many times in all."""
        with self._changed:
            self._changed.wait_for(lambda: self.said.count(words) >= times or self._deaf.is_set(), PATIENCE_S)
            assert self.said.count(words) >= times, f"{self._words[0]} never said {words!r}:\n{self.said[-6000:]}"

    def ends(self, number=signal.SIGTERM):
        """Ask it to end, by its pid; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.ends()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._reader.join(PATIENCE_S)
            self.process.stdin.close()
            self.process.stdout.close()


class Terminal:
    """A program on a screen of its own; `seen` is all that it wrote there so far."""

    def __init__(self, *words, env):
        self.seen = b""
        self.code = None
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(words[0], words, env)
            finally:
                os._exit(127)
        self._reader = threading.Thread(target=self._watch, daemon=True)
        self._reader.start()

    def _watch(self):
        """A program stands still when nobody reads what it writes."""
        with contextlib.suppress(OSError):  # what Linux says when nobody has the other end any more
            while octets := os.read(self._screen, 65536):
                self.seen += octets

    def types(self, keys):
        os.write(self._screen, keys)

    def ends(self):
        """Wait until it ends by itself; its exit code."""
        self._reader.join(PATIENCE_S)
        assert not self._reader.is_alive(), f"it has not ended: {self.seen[-3000:]!r}"
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self._reader.join(PATIENCE_S)
        os.close(self._screen)
