"""A second start in the same folder is refused with the pid of the first."""

import os

import pytest

from unitymail.lock import FolderLock, Locked, holder, not_ours


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
