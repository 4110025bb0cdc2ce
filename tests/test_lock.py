"""A second start in the same folder is refused with the pid of the first."""

import os

import pytest

from unitymail.lock import FolderLock, Locked, holder


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


def test_nobody_holds_a_folder_without_a_node(tmp_path):
    """`status` can tell that the node is down."""
    assert holder(str(tmp_path)) is None
    lock = FolderLock(str(tmp_path))
    lock.take()
    lock.release()
    assert holder(str(tmp_path)) is None
