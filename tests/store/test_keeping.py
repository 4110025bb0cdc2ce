"""Small files are whole or as they were, links fall back to copies that are whole."""

import errno
import os

import pytest

from tests.power.recording import DROPPED, NAMES, Model, RecordingDisk
from unitymail.store.keeping import link_or_copy, replace_file


@pytest.mark.parametrize("variant", [DROPPED, NAMES])
def test_a_replaced_file_is_the_old_or_the_new(tmp_path, variant):
    """Wherever the power is cut the file is whole, and once `replace_file` has returned it is the new one."""
    os.mkdir(tmp_path / "disk")
    disk = RecordingDisk(tmp_path / "disk")
    path, temporary = str(tmp_path / "disk" / "file"), str(tmp_path / "disk" / "temporary")
    replace_file(disk, path, b"old", temporary)
    began = len(disk.events)
    replace_file(disk, path, b"new", temporary)
    for number in range(began, len(disk.events) + 1):
        Model(disk.events[:number]).build(tmp_path / f"{number}", variant)
        octets = (tmp_path / f"{number}" / "file").read_bytes()
        assert octets in ((b"old", b"new") if number < len(disk.events) else (b"new",))


def test_a_copy_is_whole_before_it_has_its_name(tmp_path):
    """On another file system a message is copied, flushed, and only then gets its name."""

    class NoLink(RecordingDisk):
        def link(self, source, target):
            if source == origin:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            super().link(source, target)

    os.mkdir(tmp_path / "disk")
    origin = str(tmp_path / "origin")
    with open(origin, "wb") as file:
        file.write(b"octets")
    disk = NoLink(tmp_path / "disk")
    link_or_copy(disk, origin, str(tmp_path / "disk" / "copy"), lambda: str(tmp_path / "disk" / "temporary"))
    Model(disk.events).build(tmp_path / "after", NAMES)
    assert (tmp_path / "after" / "copy").read_bytes() == b"octets"
    assert os.listdir(tmp_path / "disk") == ["copy"]
