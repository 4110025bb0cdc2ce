"""How full mailboxes are, in memory and in a file."""

import os

import pytest

from unitymail.disk import Disk
from unitymail.store.quota import Usage


def test_kept_over_a_restart(tmp_path):
    """Octets are there again after a restart; nothing is written when nothing changed."""
    path = str(tmp_path / "usage")
    usage = Usage(path, Disk())
    usage.save()
    assert usage.used("u-a") == 0 and not (tmp_path / "usage").exists()
    usage.add("u-a", 100)
    usage.add("u-b c", 5)
    usage.add("u-a", -40)
    usage.save()
    again = Usage(path, Disk())
    assert (again.used("u-a"), again.used("u-b c"), again.used("u-x")) == (60, 5, 0)


def test_written_now_and_then(tmp_path):
    """The file is written once a minute at most, however often it is asked, and again when it could not be."""
    usage = Usage(str(tmp_path / "usage"), Disk())
    usage.add("u-a", 1)
    usage.save_now_and_then(1_000.0)
    usage.add("u-a", 1)
    usage.save_now_and_then(1_059.0)
    assert (tmp_path / "usage").read_text() == "1 u-a\n"
    (tmp_path / f"usage.{os.getpid()}").mkdir()
    with pytest.raises(OSError, match="directory"):
        usage.save_now_and_then(1_060.0)
    (tmp_path / f"usage.{os.getpid()}").rmdir()
    usage.save()
    assert (tmp_path / "usage").read_text() == "2 u-a\n"


def test_never_negative_and_never_confused(tmp_path):
    """Octets do not fall below zero, and a damaged file is read as far as it makes sense."""
    (tmp_path / "usage").write_bytes(b"12 u-a\n\xff\nx y\n7\n-3 u-b\n8 u-c\n")
    usage = Usage(str(tmp_path / "usage"), Disk())
    assert (usage.used("u-a"), usage.used("u-b"), usage.used("u-c")) == (12, 0, 8)
    usage.add("u-a", -100)
    assert usage.used("u-a") == 0
