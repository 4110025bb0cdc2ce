"""What lines a message holds, however long it is."""

import mmap
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail import lines
from unitymail.mail.lines import LONGEST_LINE, Lines, has_long_line, lines_of


@pytest.mark.parametrize(("octets", "found"), [
    (b"", Lines()), (b"a\r\nb", Lines()), (b"a\0", Lines(nul=True)), (b"a\nb\r\n", Lines(bare=True)),
    (b"a\rb\r\n", Lines(bare=True)), (b"a\r", Lines(bare=True)), (b"\n\r", Lines(bare=True)),
    (b"\xe9\r\n", Lines(eight_bit=True)), (b"x" * 999, Lines(long=True)), (b"x" * 998 + b"\r\n", Lines()),
    (b"x" * 999 + b"\r\n", Lines(long=True)), (b"x\r\n" * 5_000, Lines()),
    (b"\0\n\xff" + b"x" * 2_000, Lines(True, True, True, True)),
])  # fmt: skip
def test_lines(octets, found):
    """Each kind of octet that some hop may not take is seen."""
    assert lines_of(octets, 0, len(octets)) == found
    assert lines_of(b"\0\n\xff" + octets + b"\0\n\xff", 3, 3 + len(octets)) == found


@given(st.lists(st.integers(0, 1_200), max_size=12), st.booleans())
def test_long_lines(lengths, ended):
    """A line of more than 998 octets is seen wherever it stands, none is where there is none."""
    octets = b"\r\n".join(b"x" * length for length in lengths) + (b"\r\n" if ended else b"")
    assert has_long_line(octets, 0, len(octets)) == any(length > LONGEST_LINE for length in lengths)


def test_a_mapped_file(monkeypatch):
    """A large file is looked through in a window, and says the same."""
    monkeypatch.setattr(lines, "WINDOW", 8_192)
    with tempfile.TemporaryFile() as file:
        file.write(b"short\r\n" * 40_000 + b"x" * 999 + b"\r\n")
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            assert lines_of(view, 0, len(view)) == Lines(long=True)
            assert lines_of(view, 0, 280_000) == Lines()
