"""What goes out can be read back."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.wire import response
from unitymail.imap.wire.assembly import Assembled, Assembler
from unitymail.imap.wire.lexer import Reader


def read_back(octets):
    """The reader of a command that has these octets as its argument; literals made non-synchronising."""
    assembler = Assembler({})
    if octets.startswith(b"{"):
        octets = octets.replace(b"}", b"+}", 1)
    assembler.feed(b"a X " + octets + b"\r\n")
    command = assembler.next_command()
    assert isinstance(command, Assembled)
    return Reader(command.parts)


@given(st.binary(max_size=40))
def test_strings(octets):
    """Any octets survive as a quoted string or literal, and as an astring."""
    assert read_back(response.quoted(octets)).string() == octets
    assert read_back(response.astring(octets)).astring() == octets


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30))
def test_mailbox_names(name):
    """Any name that a mailbox can have survives, INBOX in any case as INBOX."""
    from unitymail.imap.wire.names import canonical

    assert read_back(response.mailbox(name)).mailbox() == canonical(name)


def test_astring_never_looks_like_nil():
    """A folder called NIL is quoted."""
    assert response.astring(b"nil") == b'"nil"'
    assert response.astring(b"a b") == b'"a b"'
    assert response.astring(b"") == b'""'


def test_flag_list():
    """System flags in their usual order, \\Recent first, then keywords."""
    assert response.flag_list({"work", "\\Seen", "\\Answered", "\\Recent", "$Junk"}) == (
        b"(\\Recent \\Answered \\Seen $Junk work)"
    )


def test_text_is_one_line():
    """Words for people cannot break a response line."""
    assert response.text("a\r\nb OK é") == b"a??b OK ?"


def test_utf8_names():
    """Once the client has enabled UTF-8, names are sent in it."""
    assert response.mailbox('é"', utf8=True) == '"é\\""'.encode()
    assert response.mailbox("plain", utf8=True) == b"plain"
    assert response.mailbox("é\r\n* OK", utf8=True) == b"{8}\r\n" + "é\r\n* OK".encode()
