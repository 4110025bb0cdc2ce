"""One history, written by several processes at once."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unitymail.disk import Disk
from unitymail.history.file import HistoryFile
from unitymail.history.stories import Stories

ROOT = str(Path(__file__).parent.parent.parent)
WRITING = """
import sys, time
from unitymail.disk import Disk
from unitymail.history.file import HistoryFile
file = HistoryFile(sys.argv[1], Disk())
for turn in range(int(sys.argv[3])):
    facts = {"user": "u-a", "address": "a@x"}
    file.write({f"{sys.argv[2]}{turn}x{n}": [(time.time(), "delivered", facts)] for n in range(20)})
    print(turn, flush=True)
"""


def writing(path, word, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITING, path, word, str(count)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )


def test_writers_side_by_side_and_one_that_is_killed(tmp_path):
    """Every batch that was written is there whole, each message under its own number, while one process prunes."""
    path = str(tmp_path / "history.sqlite")
    processes = [writing(path, word, 40) for word in "ab"]
    victim = writing(path, "v", 100_000)
    pruning, last = HistoryFile(path, Disk()), 0
    while any(process.poll() is None for process in processes):
        pruning.prune(time.time() - 86_400)
        last = int(victim.stdout.readline())
    victim.send_signal(signal.SIGKILL)
    said = [last, *map(int, victim.communicate()[0].split())]
    assert [process.communicate()[0].count("\n") for process in processes] == [40, 40]
    with sqlite3.connect(path) as connection:
        traces = [trace for (trace,) in connection.execute("SELECT trace FROM part")]
    assert len(traces) == len(set(traces))
    assert len([trace for trace in traces if trace[0] in "ab"]) == 2 * 40 * 20
    assert {f"v{turn}x{n}" for turn in range(said[-1] + 1) for n in range(20)} <= set(traces)
    assert Stories(path).story("a7x3").events[0].event == "delivered"


def test_a_damaged_file_is_put_aside_once(tmp_path):
    """Two processes meet the damage: the old file is kept, both go on in one new file."""
    path = str(tmp_path / "history.sqlite")
    files = [HistoryFile(path, Disk()) for _ in range(2)]
    for n, file in enumerate(files):
        file.write({f"t{n}": [(time.time(), "delivered", {})]})
    error = sqlite3.DatabaseError("database disk image is malformed")
    assert files[0].set_aside(error) == path + ".damaged"
    files[0].write({"new0": [(time.time(), "delivered", {})]})
    assert files[1].set_aside(error) == path + ".damaged"
    files[1].write({"new1": [(time.time(), "delivered", {})]})
    for file in files:
        file.close()
    assert [Stories(path).story(trace) is not None for trace in ("t0", "new0", "new1")] == [False, True, True]


def test_a_file_that_nobody_can_open_is_put_aside_once(tmp_path):
    """Two processes begin with it: the second leaves alone what the first has begun anew."""
    path = str(tmp_path / "history.sqlite")
    Path(path).write_bytes(b"damaged " * 1_000)
    files = [HistoryFile(path, Disk()) for _ in range(2)]
    errors = []
    for file in files:
        with pytest.raises(sqlite3.DatabaseError) as refused:
            file.write({"t": [(time.time(), "delivered", {})]})
        errors.append(refused.value)
    for n, file in enumerate(files):
        assert file.set_aside(errors[n]) == path + ".damaged"
        file.write({f"new{n}": [(time.time(), "delivered", {})]})
    assert Path(path + ".damaged").read_bytes() == b"damaged " * 1_000
    assert [Stories(path).story(f"new{n}") is not None for n in range(2)] == [True, True]


def test_a_file_put_aside_by_another_is_left(tmp_path):
    """A process that met no damage itself writes into the new file, too."""
    path = str(tmp_path / "history.sqlite")
    files = [HistoryFile(path, Disk()) for _ in range(2)]
    for n, file in enumerate(files):
        file.write({f"t{n}": [(time.time(), "delivered", {})]})
    files[0].set_aside(sqlite3.DatabaseError("file is not a database"))
    files[1].write({"new": [(time.time(), "delivered", {})]})
    assert Stories(path).story("new") is not None
