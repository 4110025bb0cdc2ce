"""A message while it is received."""

import errno
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.power.recording import HastyDisk, RecordingDisk
from unitymail.interfaces.errors import DISK_FULL, TryAgain
from unitymail.interfaces.spool import MAX_HEAD
from unitymail.spool.intake import HEAD_ROOM, IN_MEMORY, Incoming, owner_of

HEAD = (
    b"Return-Path: <>\r\nX-Unitymail-Trace: id=t; category=email; sensitivity=normal;\r\n"
    b"\tsecure=no; sender=; pad=\r\n"
)


def incoming(tmp_path, disk=None):
    return Incoming("t", str(tmp_path / "t.1-a"), disk or HastyDisk())


def read(message):
    with message.content() as buffer:
        return bytes(buffer[:])


def test_small_messages_touch_no_disk(tmp_path):
    """Up to 64 KiB nothing is written before the commit."""
    message = incoming(tmp_path)
    message.write(b"x" * IN_MEMORY)
    assert message.in_memory()
    assert os.listdir(tmp_path) == []
    message.write(b"y")
    assert not message.in_memory()
    assert os.listdir(tmp_path) == ["t.1-a"]
    message.abandon()
    assert os.listdir(tmp_path) == []


@settings(max_examples=40, deadline=None)
@given(blocks=st.lists(st.integers(0, 70_000), max_size=6), seed=st.binary(min_size=1, max_size=9))
def test_the_content_is_what_was_written(tmp_path_factory, blocks, seed):
    """However it came in pieces, in memory or in a file: the octets, their count and their hash are the same."""
    tmp_path = tmp_path_factory.mktemp("intake")
    whole = b"".join(seed * (size // len(seed)) for size in blocks)
    message, once = incoming(tmp_path), Incoming("u", str(tmp_path / "u.1-a"), HastyDisk())
    for size in blocks:
        message.write(seed * (size // len(seed)))
    once.write(whole)
    assert message.size == len(whole)
    assert read(message) == whole
    for one in (message, once):
        one.settle(HEAD)
        one.flush()
    assert message.sha256() == once.sha256()
    with open(message.path, "rb") as file:
        octets = file.read()
    assert octets[message.head :] == whole
    assert len(octets) == message.total
    assert octets.startswith(HEAD[:-2])


def test_large_content_is_mapped(tmp_path):
    """A large message is looked at through a map that begins with its own first octet; nothing is read at once."""
    message = incoming(tmp_path)
    message.write(b"Subject: x\r\n\r\n" + b"z" * IN_MEMORY)
    with message.content() as buffer:
        assert not isinstance(buffer, bytes)
        assert buffer.find(b"Subject") == 0
        assert len(buffer) == message.size
    message.abandon()
    assert HEAD_ROOM >= MAX_HEAD


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 452), (errno.EDQUOT, 452), (errno.EIO, 451)])
@pytest.mark.parametrize("call", ["create", "write"])
def test_a_disk_in_trouble(tmp_path, call, number, code):
    """The client is told to try again, with the right code, and nothing stays behind."""

    def before(name):
        if name == call:
            raise OSError(number, os.strerror(number))

    message = incoming(tmp_path, RecordingDisk(tmp_path, before))
    message.write(b"x" * 1000)
    with pytest.raises(TryAgain) as caught:
        message.write(b"x" * IN_MEMORY)
    assert caught.value.reply.code == code
    assert (caught.value.reply == DISK_FULL) is (code == 452)
    with pytest.raises(TryAgain):
        message.write(b"x")
    message.abandon()
    assert os.listdir(tmp_path) == []


def test_two_of_one_name_do_not_harm_each_other(tmp_path):
    """A second message of the same trace never removes the first one's file."""
    first, second = incoming(tmp_path), incoming(tmp_path)
    first.write(b"x" * 100_000)
    with pytest.raises(TryAgain):
        second.write(b"y" * 100_000)
    second.abandon()
    assert read(first) == b"x" * 100_000
    first.abandon()


def test_owners():
    """The file's name says whose it is."""
    assert owner_of("/spool/intake/abc-r0.123-9f") == ("abc-r0", "123-9f")
