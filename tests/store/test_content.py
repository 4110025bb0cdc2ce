"""The octets of messages, in CRLF form."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.disk import Disk
from unitymail.store import content
from unitymail.store.content import Content, converted, crlf_size, in_crlf_form, is_in_crlf_form, open_file

PIECES = st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"a", b"bc"]), max_size=60).map(b"".join)


@given(PIECES)
def test_every_bare_line_feed_becomes_crlf(octets):
    """The CRLF form has no bare LF, keeps CRLF and CR as they are, and is as long as was counted."""
    form = converted(octets)
    assert form.replace(b"\r\n", b"").count(b"\n") == 0
    assert len(form) == crlf_size(octets)
    assert (form == octets) == is_in_crlf_form(octets)
    assert form.replace(b"\r\n", b"\n") == octets.replace(b"\r\n", b"\n")


def test_large_files_are_mapped_and_converted_in_blocks(tmp_path, monkeypatch):
    """A large file with LF ends is served in CRLF form without being held in memory; no file stays behind."""
    monkeypatch.setattr(content, "CONVERT_IN_MEMORY", 1000)
    octets = (b"line\n" * 7 + b"other\r\n" + b"\r" * 3 + b"\n") * 4000
    path = tmp_path / "large"
    path.write_bytes(octets)
    buffer = open_file(os.fsencode(path))
    assert not isinstance(buffer, bytes)
    assert crlf_size(buffer) == len(converted(octets)) and not is_in_crlf_form(buffer)
    form = in_crlf_form(buffer, Disk(), lambda: str(tmp_path / "temporary"))
    assert not isinstance(form, bytes) and form[:] == converted(octets)
    form.close()
    buffer.close()
    assert os.listdir(tmp_path) == ["large"]


def test_a_file_that_has_become_shorter(tmp_path):
    """What is no longer there is an error that can be handled, where touching the mapping would end the process."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 200_000)
    large = Content(open_file(os.fsencode(path)))
    os.truncate(path, 100_000)
    assert large.read(50_000, 50_000) == b"x" * 50_000
    with pytest.raises(OSError, match="shorter"):
        large.read(90_000, 50_000)
    before = len(os.listdir("/proc/self/fd"))
    large.close()
    large.close()
    assert len(os.listdir("/proc/self/fd")) == before - 2


def test_empty_file(tmp_path):
    """An empty file is an empty message."""
    (tmp_path / "empty").write_bytes(b"")
    assert open_file(os.fsencode(tmp_path / "empty")) == b""
