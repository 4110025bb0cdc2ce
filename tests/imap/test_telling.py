"""What goes over the wire, in the manner that a client asked for."""

from tests.imap.histories import snapshot
from unitymail.imap.difference import diff
from unitymail.imap.telling import Manner, octets_of, vanished_line
from unitymail.imap.view import View


def told_of():
    """Two that left, one that changed, one that came with a new keyword."""
    view = View(snapshot({1: 0, 2: 0, 3: 0, 4: 1}), [(3, 4)])
    told = diff(view, snapshot({1: 1, 3: 0, 7: 3}, 2, ("work",), modseqs={1: 9}), expunges=True)
    view.add_recent(7, 7)
    view.become(told)
    return told, view


def test_plainly():
    """Highest EXPUNGE first, then FLAGS, EXISTS and RECENT, then the changes."""
    assert octets_of(*told_of()) == (
        b"* 4 EXPUNGE\r\n* 2 EXPUNGE\r\n"
        b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)\r\n"
        b"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work \\*)]"
        b" These can be changed for good\r\n"
        b"* 3 EXISTS\r\n* 2 RECENT\r\n"
        b"* 1 FETCH (FLAGS (\\Seen))\r\n"
    )


def test_manners():
    """UID, MODSEQ, VANISHED and no sequence numbers, as extensions have it; rev2 knows no RECENT."""
    told, view = told_of()
    assert b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" in octets_of(told, view, Manner(uid=True))
    assert b"* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (9))\r\n" in octets_of(told, view, Manner(uid=True, modseq=True))
    by_uid = octets_of(told, view, Manner(vanished=True, uid_only=True, modseq=True, recent=False))
    assert by_uid.startswith(b"* VANISHED 2,4\r\n* FLAGS ")
    assert by_uid.endswith(b"* 3 EXISTS\r\n* 1 UIDFETCH (FLAGS (\\Seen) MODSEQ (9))\r\n")
    assert b"EXPUNGE" not in by_uid and b"RECENT" not in by_uid
    assert b"[PERMANENTFLAGS ()]" in octets_of(told, view, Manner(read_only=True))


def test_nothing_left():
    """Without news nothing is said, not even an empty VANISHED."""
    view = View(snapshot({1: 0}))
    assert octets_of(diff(view, view.snapshot, expunges=True), view, Manner(vanished=True)) == b""
    assert vanished_line([3, 4, 5, 9]) == b"* VANISHED 3:5,9\r\n"
