"""A client cannot tell the store on disk from the one in memory that the transcripts are made with."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.disk import Disk
from unitymail.store import Store

VECTORS = sorted((Path(__file__).parents[1] / "vectors").glob("*.eml"))
LINES = (
    "SELECT INBOX",
    "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)",
    "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From To Subject Date Received)] BODY.PEEK[HEADER.FIELDS (X-Odd)])",
    "UID FETCH 1:* (BODY.PEEK[HEADER] BODY.PEEK[1.MIME] BODY.PEEK[1]<3.50> BODY.PEEK[2.HEADER] BODY.PEEK[9])",
    "FETCH 3,7:9 (BODY[] FLAGS)",
    "FETCH 2 RFC822.TEXT",
    "FETCH 1:* (PREVIEW (LAZY) SAVEDATE)",
    "FETCH 1:* (PREVIEW BINARY.PEEK[1] BINARY.SIZE[1])",
    "UID FETCH 1:* (UID PREVIEW (LAZY) BINARY.PEEK[2]<3.50> BINARY.SIZE[2.1])",
    "STORE 1:5 +FLAGS (\\Flagged work)",
    "UID STORE 4:6 -FLAGS.SILENT (\\Flagged)",
    "STORE 9 FLAGS (\\Answered)",
    "SEARCH OR FLAGGED KEYWORD work UNSEEN",
    "SEARCH SUBJECT voice",
    "SEARCH OR FROM robin TO chris NOT HEADER Message-ID x",
    'SEARCH HEADER X-Odd ""',
    "UID SEARCH TEXT voice",
    "UID SEARCH BODY message SMALLER 20000",
    "UID SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN",
    "SEARCH RETURN (PARTIAL -1:-3 COUNT) OR SUBJECT voice FLAGGED",
    "SEARCH RETURN (SAVE) NOT SUBJECT voice",
    "UID SEARCH RETURN (SAVE ALL) $ LARGER 1000",
    "FETCH $ (UID FLAGS)",
    "SEARCH OLDER 1",
    "SEARCH YOUNGER 4294967295 SAVEDON 18-Nov-2026",
    "SEARCH SAVEDBEFORE 18-Nov-2026",
    "SEARCH EMAILID none",
    "ESEARCH IN (personal) RETURN (COUNT MAX) FROM robin",
    "SEARCH SENTSINCE 1-Jan-2014 SENTBEFORE 1-Jan-2015",
    "SEARCH SENTON 10-Mar-2014",
    "SEARCH SINCE 2-Feb-2026 BEFORE 5-Feb-2026",
    "COPY 1:3,7 Junk",
    "COPY 2 Nowhere",
    "MOVE 2,4 Archive",
    "STORE 1:3 +FLAGS.SILENT (\\Deleted)",
    "UID EXPUNGE 1:4",
    "EXPUNGE",
    "SELECT Junk",
    "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)",
    "NOOP",
)


class BothStores(SynchronousTestCase):
    def conversation(self, house):
        """Everything that a client hears, mailboxes' own numbers aside."""
        client = house.signed_in()
        heard = []

        def settle():
            for _ in range(3):
                house.clock.advance(0.01)
            heard.append(client.heard())

        for number, file in enumerate(VECTORS):
            octets = file.read_bytes()
            day = number % 28 + 1
            client.send(b'a APPEND INBOX (\\Draft) "%2d-Feb-2026 10:00:00 +0100" {%d+}\r\n' % (day, len(octets)))
            client.send(octets + b"\r\n")
            settle()
        for line in LINES:
            client.send(f"a {line}\r\n".encode())
            settle()
        return heard

    def test_same_answers(self):
        """All test messages appended, then fetched, searched, flagged, copied, moved and expunged."""
        store = Store(self.mktemp(), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
        self.addCleanup(store.close)
        lines = [*(file.name for file in VECTORS), *LINES]
        on_disk, in_memory = self.conversation(House(store=store)), self.conversation(House())
        for line, real, expected in zip(lines, on_disk, in_memory, strict=True):
            self.assertEqual(without_numbers(real), without_numbers(expected), line)
            self.assertIn("\r\na " if real.startswith(("*", "+")) else "a ", real)


def without_numbers(heard):
    """What each store counts for itself (UIDVALIDITY, MODSEQ, MAILBOXID), and the keywords that it begins with."""
    heard = re.sub(r"\[(UIDVALIDITY|COPYUID|APPENDUID|HIGHESTMODSEQ|MAILBOXID) \(?\w+", r"[\1 n", heard)
    heard = re.sub(r" UIDVALIDITY \d+\)", " UIDVALIDITY n)", heard)
    return re.sub(r"\* (FLAGS|OK \[PERMANENTFLAGS) .*\r\n", "", heard)
