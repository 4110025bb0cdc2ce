"""The `unitymail` command without waiting for its imports: one process has them, and forks for each command.

What runs is the command itself, `unitymail.ctl.main`, in a process of its own with its own standard streams.
"""

import atexit
import contextlib
import importlib
import io
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import threading
from types import SimpleNamespace


class Warm:
    """One for all nodes of the stories: what differs is given with each command."""

    def __init__(self, environment, cwd):
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stories.warm"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=environment, cwd=cwd,
        )
        atexit.register(self.close)

    def run(self, words, input=None, timeout=60):
        """returncode, stdout and stderr of `unitymail WORDS...`."""
        with tempfile.TemporaryDirectory() as folder, self._lock:
            with open(os.path.join(folder, "in"), "w") as file:
                file.write(input or "")
            self._process.stdin.write(json.dumps({"words": list(words), "folder": folder, "timeout": timeout}) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            if not answer:
                raise AssertionError("the process that runs commands is gone")
            texts = []
            for name in ("out", "err"):
                with open(os.path.join(folder, name)) as file:
                    texts.append(file.read())
        returncode = json.loads(answer)["returncode"]
        if returncode is None:
            raise AssertionError(f"unitymail {' '.join(words)}: not done after {timeout} s\n{''.join(texts)}")
        return SimpleNamespace(args=words, returncode=returncode, stdout=texts[0], stderr=texts[1])

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


def serve(lines):
    """Answers each line with the exit code; None for a command that took too long."""
    import unitymail.ctl

    _import_what_commands_need(unitymail.ctl.main)
    for line in lines:
        wish = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(wish["words"], wish["folder"], unitymail.ctl.main)
        print(json.dumps({"returncode": _ended(pid, wish["timeout"])}), flush=True)


def _import_what_commands_need(main):
    """Commands are looked for when the first one runs, and what a directory knows of when the first is opened."""
    from unitymail.directory import keepers

    sys.argv = ["unitymail", "--help"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main()
    for module in pkgutil.iter_modules(keepers.__path__, f"{keepers.__name__}."):
        importlib.import_module(module.name)
    assert threading.active_count() == 1, "a process with threads cannot be forked"


def _become(words, folder, main):
    for fd, name, mode in ((0, "in", os.O_RDONLY), (1, "out", os.O_WRONLY | os.O_CREAT),
                           (2, "err", os.O_WRONLY | os.O_CREAT)):
        os.dup2(os.open(os.path.join(folder, name), mode), fd)
    sys.stdin = os.fdopen(0, "r", closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False)
    sys.argv = ["unitymail", *words]
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _ended(pid, timeout):
    watch = os.pidfd_open(pid)
    try:
        if not select.select([watch], [], [], timeout)[0]:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
    finally:
        os.close(watch)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    serve(sys.stdin)
