"""Receipts as IMAP clients meet them: transcripts on the store on disk, with what it tells and owes beside them."""

import pytest

from tests.fakes import ROBIN
from tests.imap.conversation import House
from unitymail.disk import Disk
from unitymail.store import Store

PAT = b"pat@partner.example"


class Mailbox(House):
    """Robin's mailbox on disk. `owed` is what the store owes, `read` the traces of what it was told."""

    def __init__(self, root):
        self.disk_store = Store(str(root / "accounts"), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
        super().__init__(store=self.disk_store)
        self.root = root
        self.count = 0
        self.news = []
        self.disk_store.listen(self.news.append)

    @property
    def account(self):
        return self.disk_store.account(ROBIN.id)

    def deliver(self, *, asks=True, category=b"voice"):
        self.count += 1
        octets = (
            b"Return-Path: <" + PAT + b">\r\nX-Unitymail-Trace: id=t; category=" + category
            + b"; sensitivity=normal; secure=no; sender=; pad=\r\nFrom: Pat <" + PAT + b">\r\nSubject: Call\r\n"
            + (b"Disposition-Notification-To: <" + PAT + b">\r\n" if asks else b"") + b"\r\nHello.\r\n"
        )
        path = self.root / f"m{self.count}"
        path.write_bytes(octets)
        name = f"17000000{self.count:02}.0abcdefghi01234567{self.count:02}.h,S={len(octets)}"
        self.disk_store.deliver(ROBIN.id, str(path), name + (",N=1" if asks else ""))

    @property
    def owed(self):
        return [(one.kind, int(one.trace[-2:])) for one in self.account.owed()]

    @property
    def read(self):
        return [int(trace[-2:]) for one in self.news for trace in self.account.traces_of(one.seen)]


@pytest.fixture
def house(tmp_path):
    house = Mailbox(tmp_path)
    yield house
    house.disk_store.close()


def test_fetching_a_body_is_reading(house):
    """The FETCH that sets \\Seen shows $MDNSent beside it: the client need not ask its user."""
    house.deliver()
    house.deliver(asks=False)
    client = house.selected()
    assert client.say("a FETCH 1:2 BODY[TEXT]") == [
        "* 1 FETCH (FLAGS (\\Recent \\Seen $MDNSent) BODY[TEXT] {8}", "Hello.", ")",
        "* 2 FETCH (FLAGS (\\Recent \\Seen) BODY[TEXT] {8}", "Hello.", ")",
        "a OK FETCH completed",
    ]
    assert (house.owed, house.read) == ([("displayed", 1)], [1, 2])
    assert client.say("b NOOP") == ["b OK NOOP completed"]


def test_looking_is_not_reading(house):
    """PEEK, envelopes, searching, a folder opened with EXAMINE: nobody is told anything."""
    house.deliver()
    client = house.selected()
    client.say("a FETCH 1 (BODY.PEEK[] ENVELOPE BODYSTRUCTURE FLAGS)")
    client.say("b SEARCH TEXT Hello")
    house.selected(command="EXAMINE").say("c FETCH 1 BODY[]")
    assert (house.owed, house.read) == ([], [])
    assert client.say("d FETCH 1 FLAGS")[0] == "* 1 FETCH (FLAGS (\\Recent))"


def test_store_tells_of_what_it_added(house):
    """STORE answers with both flags; the silent form tells of the one that the client did not ask for."""
    for _ in range(2):
        house.deliver()
    client = house.selected()
    assert client.say("a STORE 1 +FLAGS (\\Seen)") == [
        "* 1 FETCH (FLAGS (\\Recent \\Seen $MDNSent))", "a OK STORE completed"]
    assert client.say("b UID STORE 2 +FLAGS.SILENT (\\Seen)") == [
        "* 2 FETCH (UID 2 FLAGS (\\Recent \\Seen $MDNSent))", "b OK STORE completed"]
    assert house.owed == [("displayed", 1), ("displayed", 2)]


def test_other_sessions_hear_of_it(house):
    """A second client sees the message become read, and answered for, at once."""
    house.deliver()
    one, other = house.selected(), house.selected()
    one.say("a STORE 1 +FLAGS.SILENT (\\Seen)")
    assert other.say("b NOOP")[0].startswith("* 1 FETCH (FLAGS (\\Seen $MDNSent")
    other.say("c STORE 1 -FLAGS (\\Seen)")
    other.say("d STORE 1 +FLAGS (\\Seen)")
    assert house.owed == [("displayed", 1)]


def test_the_client_answers_for_email(house):
    """For e-mail no flag of ours appears, and the client sets its own."""
    house.deliver(category=b"email")
    client = house.selected()
    assert client.say("a STORE 1 +FLAGS (\\Seen)")[0] == "* 1 FETCH (FLAGS (\\Recent \\Seen))"
    assert client.say("b STORE 1 +FLAGS ($MDNSent)")[0] == "* 1 FETCH (FLAGS (\\Recent \\Seen $MDNSent))"
    assert house.owed == []


def test_expunged_unheard(house):
    """Deleted and expunged without \\Seen: the sender hears that; moved to the Deleted Items it is not deleted yet."""
    house.deliver()
    house.deliver()
    client = house.selected()
    client.say("a UID MOVE 2 \"Deleted Items\"")
    client.say("b STORE 1 +FLAGS (\\Deleted)")
    assert client.say("c EXPUNGE")[0] == "* 1 EXPUNGE"
    assert house.owed == [("deleted", 1)]
    client.say('d SELECT "Deleted Items"')
    client.say("e STORE 1 +FLAGS (\\Deleted)")
    client.say("f CLOSE")
    assert sorted(house.owed) == [("deleted", 1), ("deleted", 2)]
    assert house.read == []


def test_copy_and_append_read_nothing(house):
    """What a client files away as read was not read by that."""
    house.deliver()
    client = house.selected()
    client.say("a COPY 1 Archive")
    client.say("b APPEND Archive (\\Seen) {12+}\r\nSubject: x\r\n\r\n")
    assert (house.owed, house.read) == ([], [])
