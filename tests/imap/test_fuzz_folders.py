"""Whatever a client sends to the commands about folders: no traceback, no answer out of place, no close without BYE."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.test_fuzz import commands_of, converse, cut_up, is_sound

WORDS = st.sampled_from([
    *b'INBOX Sent "" "*" % NIL () "/x/" ( ) (( RETURN (SUBSCRIBED) (RECURSIVEMATCH) (SPECIAL-USE) &AOk-'.split(),
    *b"\xc3\xa9 &AO UTF8=ACCEPT METADATA Nowhere".split(),
    *b"/private/comment /shared/a/b /PRIVATE/x* (MAXSIZE DEPTH 1 infinity IMAP4rev2".split(),
    b"(SUBSCRIBED RECURSIVEMATCH)", b'(INBOX "S%" a/*)', b"RETURN (STATUS (MESSAGES SIZE DELETED-STORAGE))",
    b"RETURN (CHILDREN METADATA (/private/comment /shared/b))", b"(MAXSIZE 3 DEPTH infinity)", b'(/private/x "y")',
    b"(/private/x NIL /private/specialuse \"\\\\Sent\")", b"(/private/x ~{3+}\r\na\0b)", b"(USE (\\Sent \\Junk))",
    b"(USE (\\All))", b"(STORAGE 5)", b'("name" "x" "version" NIL)', b"{3+}\r\na/b", b"{2+}\r\n\xc3\xa9", b"~{1+}\r\nx",
])  # fmt: skip
VERBS = st.sampled_from(
    b"LIST LSUB CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE GETMETADATA SETMETADATA GETQUOTA GETQUOTAROOT SETQUOTA"
    b" NAMESPACE ENABLE ID STATUS SELECT CAPABILITY NOOP".split()
)
COMMAND = commands_of(VERBS, WORDS, 5)


@settings(max_examples=200, deadline=None)
@given(st.lists(COMMAND, max_size=12), st.booleans())
def test_anything(commands, rev2):
    """Commands with every kind of argument in every place, of either version of the protocol."""
    is_sound(*converse([b"e ENABLE IMAP4rev2\r\n"] * rev2 + commands), also=rb".*\)$")


@settings(max_examples=80, deadline=None)
@given(st.lists(COMMAND, max_size=6), st.lists(st.integers(1, 60), max_size=30))
def test_however_it_is_cut(commands, cuts):
    """The answers do not depend on how the octets arrive."""
    octets = b"".join(commands)
    assert converse(cut_up(octets, cuts))[2] == converse([octets])[2]
