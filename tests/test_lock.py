"""A second start in the same folder is refused with the pid of the first."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from unitymail.lock import FolderLock, Locked, WorkerMark, await_workers, holder, living_workers, not_ours

ROOT = Path(__file__).parents[1]
PARENT = """
import subprocess, sys
from unitymail.lock import WorkerMark
mark = WorkerMark(sys.argv[1], 0)
worker = subprocess.Popen(["cat"], pass_fds=[mark.descriptor])
if sys.argv[2:]:
    mark.name(worker.pid)
print(worker.pid, flush=True)
"""


def test_the_second_is_refused_with_the_pid_of_the_first(tmp_path):
    """Two nodes never share a folder."""
    first, second = FolderLock(str(tmp_path)), FolderLock(str(tmp_path))
    first.take()
    assert holder(str(tmp_path)) == os.getpid()
    with pytest.raises(Locked, match=f"process {os.getpid()}"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_lock_that_outlived_its_process_is_told_as_that(tmp_path):
    """Nobody is sent to stop a process that is gone."""
    gone = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(gone, 0)
    held = FolderLock(str(tmp_path))
    held.take()
    (tmp_path / "lock").write_text(f"{gone}\n")
    with pytest.raises(Locked, match=f"process {gone} has ended"):
        FolderLock(str(tmp_path)).take()
    held.release()


def test_nobody_holds_a_folder_without_a_node(tmp_path):
    """`status` can tell that the node is down."""
    assert holder(str(tmp_path)) is None
    lock = FolderLock(str(tmp_path))
    lock.take()
    lock.release()
    assert holder(str(tmp_path)) is None


def test_root_is_kept_out_of_a_folder_of_somebody_else(tmp_path, monkeypatch):
    """Files that root leaves would stop the node, which runs as the folder's owner."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "stat", lambda path: os.stat_result((0o700, 0, 0, 0, 65_533, 65_533, 0, 0, 0, 0)))
    assert f"{tmp_path} belongs to #65533" in not_ours(str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not_ours(str(tmp_path)) == ""


@contextmanager
def orphan(run, *named):
    """A worker of a parent that was gone at once; it ends when the block does."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, run, *named], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    pid = parent.stdout.readline().decode().strip()
    parent.wait(30)
    try:
        yield pid
    finally:
        parent.stdin.close()
        parent.stdout.close()


def test_a_start_waits_for_the_workers_of_the_last_parent(tmp_path):
    """While one lives the start is refused after a while, with its pid; once it has ended nothing is in the way."""
    run = str(tmp_path)
    with orphan(run, "named") as pid:
        assert living_workers(run) == [pid]
        with pytest.raises(Locked, match=f"its worker, process {pid}; end that first"):
            await_workers(run, within=0)
        with pytest.raises(BlockingIOError):
            WorkerMark(run, 0)
        WorkerMark(run, 1).close()
    await_workers(run, within=30)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_has_its_mark_from_the_beginning(tmp_path):
    """A parent that was killed before it even wrote whose it is leaves no worker that nobody waits for."""
    with orphan(str(tmp_path)), pytest.raises(Locked, match="its worker, process unknown"):
        await_workers(str(tmp_path), within=0)
    await_workers(str(tmp_path), within=30)


def test_a_node_without_workers_waits_for_nobody(tmp_path):
    """Nor does one that never ran, and a mark that nobody has goes."""
    WorkerMark(str(tmp_path / "run"), 0).close()
    await_workers(str(tmp_path / "run"), within=0)
    assert list((tmp_path / "run").iterdir()) == []
    await_workers(str(tmp_path / "nowhere"), within=0)
