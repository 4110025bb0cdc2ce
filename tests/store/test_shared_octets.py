"""How full mailboxes are, known to several processes at once."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from unitymail.disk import Disk
from unitymail.store import shared_octets
from unitymail.store.quota import Usage, shared
from unitymail.store.shared_octets import SharedOctets

ROOT = str(Path(__file__).parent.parent.parent)
COUNTING = """
import sys, os
from unitymail.disk import Disk
from unitymail.store.shared_octets import SharedOctets
table = SharedOctets(sys.argv[1], Disk())
for turn in range(int(sys.argv[3])):
    table.add(f"u-{turn % 40}", 5)
    table.add(f"u-{sys.argv[2]}-{turn}", 1)
print("done", flush=True)
sys.stdin.read()
"""


def begun(tmp_path, octets=None, processes=4):
    path = str(tmp_path / "usage.shared")
    shared_octets.begin(path, Disk(), octets or {}, processes)
    return path


def counting(path, word, count):
    return subprocess.Popen(
        [sys.executable, "-c", COUNTING, path, word, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": ROOT},
    )


def test_what_one_counts_the_others_know_at_once(tmp_path):
    """Deliveries at one door fill the mailbox at every other; new accounts are seen, and none falls below zero."""
    path = begun(tmp_path, {"u-a": 100})
    one, two = SharedOctets(path, Disk()), SharedOctets(path, Disk())
    one.add("u-a", 20)
    two.add("u-a", 3)
    two.add("u-é \x85", 7)
    assert [table.all() for table in (one, two)] == [{"u-a": 123, "u-é \x85": 7}] * 2
    assert (one.get("u-é \x85"), one.get("u-x")) == (7, 0)
    one.add("u-a", -1_000)
    assert (one.get("u-a"), two.get("u-a")) == (0, 0)
    with pytest.raises(ValueError, match="cannot name"):
        one.add("u\nb", 1)


def test_processes_count_side_by_side(tmp_path):
    """Three processes count thousands of messages for the same and for new accounts: not one is lost."""
    path = begun(tmp_path)
    processes = [counting(path, word, 3_000) for word in "abc"]
    for process in processes:
        assert process.stdout.readline() == b"done\n"
    table = SharedOctets(path, Disk())
    octets = table.all()
    assert [octets[f"u-{n}"] for n in range(40)] == [3 * 75 * 5] * 40
    assert all(octets[f"u-{word}-{n}"] == 1 for word in "abc" for n in range(3_000))
    assert len(octets) == 40 + 9_000
    for process in processes:
        process.communicate()


def test_a_process_that_is_killed(tmp_path):
    """What it counted stays, its place is free for the next, and half a name does no harm."""
    path = begun(tmp_path, processes=1)
    tables = []
    for _ in range(8):
        process = counting(path, "k", 40)
        assert process.stdout.readline() == b"done\n"
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with open(path + ".names", "ab") as file:
        file.write(b"u-half")
    tables.append(SharedOctets(path, Disk()))
    tables[0].add("u-new", 4)
    assert (tables[0].get("u-0"), tables[0].get("u-k-39"), tables[0].get("u-new")) == (40, 8, 4)
    assert "u-half" not in tables[0].all()
    tables += [SharedOctets(path, Disk()) for _ in range(shared_octets.SPARE)]
    with pytest.raises(OSError, match="more than 5 processes"):
        SharedOctets(path, Disk())
    tables.pop().close()
    tables.append(SharedOctets(path, Disk()))
    for table in tables:
        table.close()


def test_two_take_away_at_once(tmp_path):
    """What fell below zero between them counts as nothing, and what comes next counts in full."""
    path = begun(tmp_path, {"u-a": 100})
    one, two = SharedOctets(path, Disk()), SharedOctets(path, Disk())
    for table in (one, two):
        table._numbers[table._place(0) + table._column] -= 80
    assert (one.get("u-a"), two.all()) == (0, {"u-a": 0})
    one.add("u-a", 50)
    assert (one.get("u-a"), two.get("u-a")) == (50, 50)


class FullDisk(Disk):
    """`room` octets can be written in all."""

    room = 0

    def write_at(self, fd, data, offset):
        now, self.room = data[: self.room], max(self.room - len(data), 0)
        super().write_at(fd, now, offset)
        if len(now) < len(data):
            raise OSError(errno.ENOSPC, "no space left")


def test_a_full_disk(tmp_path):
    """The table never has a hole, where counting would kill the process; an account without room is counted later."""
    path = begun(tmp_path, {f"u-{n}": 1 for n in range(shared_octets.ROWS_AT_ONCE)})
    full = FullDisk()
    full.room = 1_003
    usage = Usage(str(tmp_path / "usage"), full, table=SharedOctets(path, full))
    usage.add("u-new", 7)
    usage.add("u-5", 7)
    assert (usage.used("u-new"), usage.used("u-5")) == (0, 8)
    other = SharedOctets(path, Disk())
    assert other.get("u-5") == 8
    other.add("u-new", 9)
    assert usage.used("u-new") == 9
    assert os.stat(path).st_blocks * 512 >= os.stat(path).st_size


def test_the_one_that_began_keeps_the_file(tmp_path):
    """The numbers of all are in the file that the next start reads; the others write none."""
    path = str(tmp_path / "usage")
    first = Usage(path, Disk(), processes=2)
    second = Usage(path, Disk(), table=SharedOctets(shared(path), Disk()))
    second.add("u-a", 12)
    second.save()
    assert not os.path.exists(path)
    assert first.used("u-a") == 12
    first.save()
    assert Usage(path, Disk()).used("u-a") == 12
    again = Usage(path, Disk(), processes=2)
    again.add("u-a", 1)
    assert (again.used("u-a"), second.used("u-a")) == (13, 12)
