"""Messages with binary octets, in the form to keep."""

import base64
import os

import pytest

from unitymail.disk import Disk
from unitymail.imap.registry import No
from unitymail.imap.unbinary import without_binary

BINARY = b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\r\xff"


class Full(Disk):
    """Fails when a new file is written to."""

    def write(self, fd, data):
        raise OSError(28, "No space left on device")


@pytest.fixture
def kept(tmp_path):
    """What is kept of a message: its octets, and the names of all files."""

    def keep(octets, disk=None):
        path = tmp_path / "message"
        path.write_bytes(octets)
        disk = disk or Disk()
        new = str(tmp_path / "new")
        result = without_binary(disk, str(path), lambda: (disk.create(new), new))
        with open(result, "rb") as file:
            return file.read(), sorted(os.listdir(tmp_path))

    return keep


def test_nothing_to_do(kept):
    """A message without binary octets stays in its own file."""
    assert kept(b"Subject: x\r\n\r\nhello\r\n") == (b"Subject: x\r\n\r\nhello\r\n", ["message"])


def test_in_base64(kept):
    """Binary octets are written in base64 to a new file, and the old one goes."""
    octets, names = kept(BINARY)
    assert octets.startswith(b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n")
    assert base64.b64encode(b"\0\n\r\xff") in octets and b"\0" not in octets
    assert names == ["new"]


def test_nowhere_to_hide(kept, tmp_path):
    """What has no such form is refused, with the reason, and the file stays for who made it to remove."""
    with pytest.raises(No) as refusal:
        kept(b"Subject: \0\r\n\r\n")
    assert (refusal.value.code, refusal.value.text.count("NUL")) == (b"UNKNOWN-CTE", 1)
    assert os.listdir(tmp_path) == ["message"]


def test_no_room(kept, tmp_path):
    """A full disk leaves no half of a new file."""
    with pytest.raises(OSError, match="No space"):
        kept(BINARY, Full())
    assert os.listdir(tmp_path) == ["message"]
