"""Client programs of a story: run to their end, or beside it until it ends them by their own pid."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import threading

from tests.stories.house import PATIENCE_S


def ran(*words, **how):
    """All that the program said, once it has ended well."""
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S, **how)
    except subprocess.TimeoutExpired as expired:
        said = (expired.stdout or b"").decode(errors="replace")
        raise AssertionError(f"{words[0]} has not ended:\n{said[-6000:]}") from None
    said = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    assert done.returncode == 0, f"{words[0]} ended with {done.returncode}:\n{said[-6000:]}"
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
    """A program on a screen of its own; `seen` is all that it ever wrote there."""

    def __init__(self, *words, env):
        self._words = words
        self.seen = b""
        self.code = None
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(words[0], words, env)
            finally:
                os._exit(127)

    def shows(self, *words):
        """Wait until one of the words is on the screen, after all that was waited for before; which one."""
        fresh = b""
        while not (found := [word for word in words if word in fresh]):
            if not select.select([self._screen], [], [], PATIENCE_S)[0]:
                raise AssertionError(f"{self._words[0]} shows nothing more, {words} neither: {fresh[-3000:]!r}")
            fresh += self._read()
        return found[0]

    def _read(self):
        try:
            octets = os.read(self._screen, 65536)
        except OSError:  # what Linux says when nobody has the other end any more
            octets = b""
        assert octets, f"{self._words[0]} has ended: {self.seen[-3000:]!r}"
        self.seen += octets
        return octets

    def types(self, keys):
        os.write(self._screen, keys)

    def ends(self):
        """Wait until it ends by itself; its exit code."""
        with contextlib.suppress(AssertionError):
            while select.select([self._screen], [], [], PATIENCE_S)[0]:
                self._read()
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._screen)
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
