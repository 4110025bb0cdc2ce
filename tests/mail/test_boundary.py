"""Boundaries of what we write around octets of others."""

import mmap
import tempfile

import pytest

from unitymail.mail.boundary import boundary_for
from unitymail.mail.windows import WINDOW


def test_a_boundary_that_occurs_is_lengthened():
    """Who knows the trace cannot end our parts."""
    assert boundary_for("t", b"") == b"=_unitymail_t"
    assert boundary_for("t", b"--=_unitymail_t_--") == b"=_unitymail_t__"


@pytest.mark.parametrize("at", [0, WINDOW - 5, WINDOW, 2 * WINDOW - 1, 3 * WINDOW])
def test_wherever_it_stands(at):
    """Also between two pieces of a large message, and in a mapped one."""
    octets = b"x" * at + b"=_unitymail_t" + b"y" * 100
    assert boundary_for("t", octets) == b"=_unitymail_t_"
    with tempfile.TemporaryFile() as file:
        file.write(octets)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            assert boundary_for("t", view) == b"=_unitymail_t_"


def test_what_cannot_stand_in_a_boundary():
    """A trace is a token whatever it is made of."""
    assert boundary_for('a"b\r\n', b"") == b"=_unitymail_a?b??"
