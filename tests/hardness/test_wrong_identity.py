"""Wrong identity: GHSA-4g76-w3xw-2x6w (maddy, SASL identity unchecked), GHSA-6cp7-g972-w9m9 (maddy, expired accounts),
CVE-2026-27856 and -27855 (Dovecot, timing and replay).

Timing, replays of SCRAM, locks, expiry and equal words are tests/login's. Here: who is signed in already, when the
directory changes under the session; and names that are nearly somebody's.
"""

from base64 import b64encode
from dataclasses import replace

import pytest

from tests.fakes import CHRIS, DEFAULT_COS, EVERYBODY, ROBIN, TERRY, FakeBook
from tests.imap.conversation import MESSAGE, House
from tests.smtp.conversation import Conversation
from unitymail.people.access import AccessRule

HERE = (AccessRule("127.0.0.1", allow=True),)
OTHERS = (CHRIS, TERRY, DEFAULT_COS, EVERYBODY)


def plain(acting_as, name, password):
    return "AUTH PLAIN " + b64encode(b"\0".join((acting_as, name, password))).decode()


def sender(client):
    """What MAIL with Robin's address is answered, and with Chris's."""
    client.say("RSET")
    robin = client.codes("MAIL FROM:<robin@vm1.example.com>")
    client.say("RSET")
    chris = client.codes("MAIL FROM:<chris@vm1.example.com>")
    client.say("RSET")
    return robin + chris


def signed_in_at_submission():
    return Conversation(door="submission", ip="127.0.0.1", access=HERE).signed_in()


@pytest.mark.parametrize(("acting_as", "name", "codes"), [
    (b"", b"robin", ["235 2.7.0"]), (b"robin", b"robin", ["235 2.7.0"]), (b"ROBIN", b"robin", ["235 2.7.0"]),
    (b"chris", b"robin", ["535 5.7.8"]), (b"robin", b"chris", ["535 5.7.8"]), (b"admin", b"robin", ["535 5.7.8"]),
    (b"robin@vm1.example.com", b"robin", ["535 5.7.8"]), (b"robin\0x", b"robin", ["501 5.5.2"]),
    (b" robin", b"robin", ["535 5.7.8"]), ("robi\u0144".encode(), b"robin", ["535 5.7.8"]),
])
def test_nobody_acts_for_another(acting_as, name, codes):
    """An authorization identity is the name itself, or the sign-in is refused, with the right password too."""
    client = Conversation(door="submission", ip="127.0.0.1", access=HERE).greeted()
    assert client.codes(plain(acting_as, name, b"secret")) == codes


def test_one_sign_in_a_session():
    """Whoever is signed in stays who he is: no second AUTH, not even after RSET, EHLO or a message."""
    client = signed_in_at_submission()
    for before in ("NOOP", "RSET", "EHLO again.example"):
        client.say(before)
        assert client.codes(plain(b"", b"chris", b"secret")) == ["503 5.5.1"]
    assert sender(client) == ["250 2.1.0", "550 5.7.1"]


def test_a_failed_sign_in_leaves_nobody():
    """Half an exchange, a wrong password, a cancelled one: the session has no name."""
    client = Conversation(door="submission", ip="127.0.0.1", access=HERE).greeted()
    client.codes("AUTH LOGIN", b64encode(b"robin"), "*")
    client.codes(plain(b"", b"robin", b"wrong"))
    assert client.codes("MAIL FROM:<robin@vm1.example.com>") == ["530 5.7.0"]


@pytest.mark.parametrize("people", [OTHERS, (replace(ROBIN, id="u-another"), *OTHERS)])
def test_a_deleted_user_sends_nothing_more(people):
    """A session of a user who is no more sends nothing, even when another user has the name by now."""
    client = signed_in_at_submission()
    gone = FakeBook(*people, site=client.site)
    client.book.by_id, client.book.by_key = gone.by_id, gone.by_key
    robin, chris = sender(client)
    assert robin.startswith("5") and chris.startswith("5")


def test_deleted_between_rcpt_and_the_dot():
    """Who is deleted while a message comes in has not sent it."""
    client = signed_in_at_submission()
    client.codes("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    gone = FakeBook(*OTHERS, site=client.site)
    client.book.by_id, client.book.by_key = gone.by_id, gone.by_key
    reply = client.send(b"From: robin@vm1.example.com\r\n\r\nHi.\r\n.\r\n")
    assert reply.startswith("5") and client.spool.committed == []


def test_a_renamed_user_is_the_same_one():
    """A new alias in the middle of a session changes what is Robin's: the new address, and the old one while it is."""
    client = signed_in_at_submission()
    renamed = replace(ROBIN, alias="robert", address="robert@vm1.example.com", proxies=())
    new = FakeBook(renamed, *OTHERS, site=client.site)
    client.book.by_id, client.book.by_key = new.by_id, new.by_key
    assert sender(client) == ["550 5.7.1", "550 5.7.1"]
    assert client.codes("MAIL FROM:<robert@vm1.example.com>") == ["250 2.1.0"]


@pytest.mark.parametrize("address", [
    "robin@vm1.example.com.", "robin@vm1.example.co", "robin@vm1.example.com.evil.example", "Robin@VM1.example.com",
    "robin+x@vm1.example.com", "rob\u0131n@vm1.example.com", "\u0280obin@vm1.example.com", '"robin "@vm1.example.com',
    '"robin@vm1.example.com"@evil.example', "robin@evil.example",
])
def test_names_that_are_nearly_somebodys(address):
    """Only spellings that the address book knows as Robin's are: letter case and tags, no look-alikes."""
    client = signed_in_at_submission()
    (code,) = client.codes(f"MAIL FROM:<{address}>" + ("" if address.isascii() else " SMTPUTF8"))
    assert (code == "250 2.1.0") == (address.lower() in ("robin@vm1.example.com", "robin+x@vm1.example.com"))


@pytest.mark.parametrize("header", [
    "From: chris@vm1.example.com", "From: robin@vm1.example.com, chris@vm1.example.com",
    "From: robin@vm1.example.com\r\nFrom: chris@vm1.example.com",
    "From: robin@vm1.example.com\r\nSender: chris@vm1.example.com",
    "From: \"robin@vm1.example.com\" <chris@vm1.example.com>", "From: robin@vm1.example.com <chris@vm1.example.com>",
    "From: <robin@vm1.example.com><chris@vm1.example.com>",
    "From: =?utf-8?q?robin=40vm1=2Eexample=2Ecom?= <chris@vm1.example.com>",
    "From: group: chris@vm1.example.com;", "From: chris@vm1.example.com (robin@vm1.example.com)",
    "From: <@robin:chris@vm1.example.com>", "FROM : chris@vm1.example.com",
])
def test_headers_that_name_another(header):
    """However a From or Sender field is spelt, a signed-in user writes in nobody else's name."""
    client = signed_in_at_submission()
    client.codes("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<terry@vm1.example.com>", "DATA")
    reply = client.send(header.encode() + b"\r\n\r\nHi.\r\n.\r\n")
    assert reply.startswith("550 5.7.1"), reply
    assert client.spool.committed == []


def test_a_mailbox_belongs_to_an_id():
    """An IMAP session of a user who is no more does not become that of the next one with the name."""
    house = House()
    house.inbox.put(MESSAGE)
    client = house.selected()
    renewed = FakeBook(replace(ROBIN, id="u-another"), *OTHERS, site=house.book.site)
    house.book.by_id, house.book.by_key = renewed.by_id, renewed.by_key
    client.say("a APPEND INBOX {5+}\r\nhello")
    other = house.connect()
    other.say("a LOGIN robin secret")
    house.login.book = renewed
    assert house.store.account("u-another") is not house.store.account(ROBIN.id)
    other = house.connect()
    other.say("a LOGIN robin secret")
    assert any("0 EXISTS" in line for line in other.say("b SELECT INBOX"))


@pytest.mark.parametrize("name", [
    "robin\0", "robin ", " robin", "robin@", "robin@evil.example", "u-robin", "ROBIN\u0130", "robin\n", "%", "*", "",
    "robin' OR '1'='1", "robin*)(uid=*",
])
def test_names_that_sign_nobody_in(name):
    """A name that is not exactly a user's is nobody's, whatever the password."""
    house = House()
    client = house.connect()
    octets = name.encode()
    client.send(b"a LOGIN {%d+}\r\n%b {6+}\r\nsecret\r\n" % (len(octets), octets))
    assert " NO " in f" {client.heard()}" or "BAD" in client.heard()
    assert client.session.user is None
