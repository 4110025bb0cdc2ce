"""Whatever a client sends about changes: no traceback, no answer out of place, no close without BYE."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.test_fuzz import commands_of, converse, cut_up, is_sound

WORDS = st.sampled_from([
    *b"INBOX 1:* 1 2 $ (FLAGS) FLAGS MODSEQ (MODSEQ) +FLAGS +FLAGS.SILENT (\\Seen) (CHANGEDSINCE VANISHED) ( )".split(),
    *b"(( CONDSTORE QRESYNC UIDONLY (CONDSTORE) (VANISHED) (HIGHESTMODSEQ) 9223372036854775808".split(),
    b"(CHANGEDSINCE 1)", b"(CHANGEDSINCE 0 VANISHED)", b"(PARTIAL 1:2)", b"(PARTIAL -1:-2 CHANGEDSINCE 1)",
    b"(UNCHANGEDSINCE 0)", b"(UNCHANGEDSINCE 9)", b"(UNCHANGEDSINCE 9223372036854775807)", b"(QRESYNC (1 1))",
    b"(QRESYNC (1001 1))", b"(QRESYNC (1001 1 1:5 (1:2 1:2)))", b"(QRESYNC (1001 1 (1 2)) CONDSTORE)",
    b"{9+}\r\n(QRESYNC(", b"{3+}\r\n1:*", b"MODSEQ 1",
])  # fmt: skip
VERBS = st.sampled_from([
    *b"SELECT EXAMINE FETCH STORE ENABLE STATUS SEARCH EXPUNGE CLOSE NOOP".split(),
    b"UID FETCH", b"UID STORE", b"UID EXPUNGE", b"UID SEARCH", b"SELECT INBOX", b"UID STORE 1:*",
    b"UID FETCH 1:* FLAGS",
])  # fmt: skip
COMMAND = commands_of(VERBS, WORDS, 5)


@settings(max_examples=250, deadline=None)
@given(st.lists(COMMAND, max_size=12), st.booleans())
def test_anything(commands, qresync):
    """Commands with every kind of argument in every place, with QRESYNC enabled or not."""
    is_sound(*converse([b"e ENABLE QRESYNC\r\n"] * qresync + commands))


@settings(max_examples=80, deadline=None)
@given(st.lists(COMMAND, max_size=6), st.lists(st.integers(1, 60), max_size=30))
def test_however_it_is_cut(commands, cuts):
    """The answers do not depend on how the octets arrive."""
    octets = b"".join(commands)
    assert converse(cut_up(octets, cuts))[2] == converse([octets])[2]
