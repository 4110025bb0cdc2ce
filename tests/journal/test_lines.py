"""Lines of several processes in one place stay whole; where there is no place for them somebody else takes them."""

import os
import sys
from types import SimpleNamespace

from twisted.internet.task import Clock

from unitymail.journal.lines import Lines

PIPE = 4096
"""What a pipe takes at once without mixing it with what others write (pipe(7))."""


def test_a_pipe_is_given_whole_lines_in_small_parts(monkeypatch):
    """Many lines of one turn go out in writes that a pipe keeps together, each of whole lines."""
    reading, writing = os.pipe()
    monkeypatch.setattr(sys, "__stdout__", SimpleNamespace(fileno=lambda: writing))
    written = []
    monkeypatch.setattr(os, "write", lambda fd, octets: written.append((fd, octets)))
    clock = Clock()
    lines = Lines("-", clock.callLater)
    said = [f"{number} {'x' * (number % 300)}\n" for number in range(200)] + ["y" * 6000 + "\n", "end\n"]
    for line in said:
        lines.add(line)
    clock.advance(0)
    monkeypatch.undo()
    os.close(reading)
    os.close(writing)
    assert "".join(octets.decode() for _, octets in written) == "".join(said)
    assert {fd for fd, _ in written} == {writing}
    assert all(octets.endswith(b"\n") for _, octets in written)
    assert [len(octets) for _, octets in written if len(octets) > PIPE] == [6001]
    assert len(written) < 20


def test_a_file_is_written_once_a_turn(tmp_path, monkeypatch):
    """A file keeps together whatever is appended at once."""
    clock = Clock()
    lines = Lines(str(tmp_path / "journal"), clock.callLater)
    real, sizes = os.write, []
    monkeypatch.setattr(os, "write", lambda fd, octets: sizes.append(len(octets)) or real(fd, octets))
    for _ in range(100):
        lines.add("x" * 99 + "\n")
    clock.advance(0)
    lines.close()
    assert sizes == [10_000]


def test_a_log_file_that_cannot_be_made_anew_stays(tmp_path):
    """After a rotation that went wrong the old file is written on."""
    folder = tmp_path / "log"
    folder.mkdir()
    clock = Clock()
    lines = Lines(str(folder / "journal"), clock.callLater)
    folder.rename(tmp_path / "moved")
    try:
        lines.reopen()
    except OSError as error:
        assert error.filename == str(folder / "journal")
    lines.add("still here\n")
    clock.advance(0)
    lines.close()
    assert (tmp_path / "moved" / "journal").read_text() == "still here\n"


def test_no_standard_output(monkeypatch):
    """Under a daemon the lines go where Twisted's log goes; a worker has its parent log them."""
    with open(os.devnull, "wb") as null:
        monkeypatch.setattr(sys, "__stdout__", SimpleNamespace(fileno=null.fileno))
        said, clock = [], Clock()
        lines = Lines("-", clock.callLater, said.append)
        lines.add("one\n")
        lines.add("two\n")
        clock.advance(0)
    assert said == ["one", "two"]
