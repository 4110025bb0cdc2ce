"""Cross-user leaks: CVE-2025-30189 (Dovecot, a cache with the wrong key), CVE-2020-24386 (Dovecot, hibernation).

Two users whose mailboxes are as alike as can be - the same folder, the same UIDs, the same sizes - read at the same
time, through one door and one store on disk, message by message in turn. What is remembered of one (structures,
rendered envelopes, snapshots, searches, sign-ins) is never shown to the other; no name reaches another's folder.
"""

import re

import pytest

from tests.fakes import CHRIS, ROBIN
from tests.imap.conversation import House
from tests.smtp.conversation import Conversation
from unitymail.disk import Disk
from unitymail.imap.letter import Structures
from unitymail.people.access import AccessRule
from unitymail.store import Store

OWNERS = {"robin": ROBIN.id, "chris": CHRIS.id}
HERE = (AccessRule("127.0.0.1", allow=True),)
ASKED = (
    "FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE BODY[] RFC822.SIZE)",
    "UID FETCH 1:* (BODY.PEEK[1] BODY.PEEK[2] BODY.PEEK[TEXT])",
    "UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject To)] BODY.PEEK[1]<0.9>)", "SEARCH TEXT of-robin",
    "SEARCH BODY of-chris",
    "SEARCH SUBJECT of-robin", "UID SEARCH HEADER Subject of-chris", "STATUS INBOX (MESSAGES UNSEEN UIDNEXT)",
    "STORE 1 +FLAGS (k)",
    "FETCH 1 FLAGS", 'LIST "" *', "NOOP",
)


def letter(owner, number):
    """The same size and shape for both; only words differ."""
    return (
        f"From: a@b.example\r\nTo: {owner}@vm1.example.com\r\nSubject: {number} of-{owner}\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/mixed; boundary="b-{owner}"\r\n\r\n--b-{owner}\r\n\r\ntext of-{owner}\r\n'
        f"--b-{owner}\r\nContent-Type: text/x-{owner}\r\n\r\nmore of-{owner}\r\n--b-{owner}--\r\n"
    ).encode()


@pytest.fixture(params=["in memory", "on disk"])
def house(request, tmp_path):
    if request.param == "in memory":
        yield House()
        return
    store = Store(str(tmp_path / "accounts"), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
    yield House(store=store)
    store.close()


def client_of(house, owner):
    client = house.connect()
    client.say(f"x LOGIN {owner} secret")
    for number in range(3):
        octets = letter(owner, number)
        client.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(octets), octets))
        house.clock.advance(0.1)
    client.say("a SELECT INBOX")
    client.heard()
    return client


def ask(house, client, line):
    client.send(f"a {line}\r\n".encode())
    for _ in range(4):
        house.clock.advance(0.05)
    return client.heard()


def test_two_who_read_in_turn(house):
    """Every answer to one holds nothing of the other, whoever asked first."""
    clients = {owner: client_of(house, owner) for owner in OWNERS}
    for order in (("robin", "chris"), ("chris", "robin")):
        for line in ASKED:
            for owner in order:
                other = "chris" if owner == "robin" else "robin"
                heard = ask(house, clients[owner], line)
                assert " OK " in heard, heard
                assert not any(word in heard.upper() for word in (f"OF-{other}".upper(), f"X-{other}".upper()))
                assert f"{other}@" not in heard


def test_searches_find_ones_own(house):
    """A search for the other's words finds nothing, though the other has just found them."""
    clients = {owner: client_of(house, owner) for owner in OWNERS}
    for owner, other in (("robin", "chris"), ("chris", "robin"), ("robin", "chris")):
        for key in ("TEXT", "BODY", "SUBJECT"):
            found, missed = (ask(house, clients[owner], f"SEARCH {key} of-{who}") for who in (owner, other))
            assert re.search(r"\* SEARCH 1 2 3\r\n", found)
            assert re.search(r"\* SEARCH\r\n", missed)


@pytest.mark.parametrize("name", [
    "../u-chris/INBOX", "../u-chris", "~chris", "~chris/INBOX", "#user.chris", "user/chris/INBOX", "Other Users/chris",
    "&AC4-&AC4-/u-chris", "/u-chris/INBOX", "u-chris", "INBOX/../../u-chris", "#shared/x", "..",
])
def test_names_that_might_be_anothers(house, name):
    """No spelling of a name opens, lists, counts, copies to or deletes what is another's."""
    chris, robin = client_of(house, "chris"), client_of(house, "robin")
    for line in (f'SELECT "{name}"', f'STATUS "{name}" (MESSAGES)', f'COPY 1 "{name}"', f'DELETE "{name}"',
                 f'RENAME "{name}" Mine', f'LIST "{name}" *', f'LIST "" "{name}/*"', f'LSUB "{name}" *'):
        heard = ask(house, robin, line)
        assert "of-chris" not in heard and "chris" not in heard.replace(name, "").replace("a LIST", "")
        assert "NO" in heard or "BAD" in heard or "OK" in heard
    ask(house, robin, "SELECT INBOX")
    assert "* 3 EXISTS" in ask(house, chris, "SELECT INBOX")


def test_idle_tells_ones_own_news(house):
    """News of Robin's mailbox wake nobody who watches Chris's."""
    chris, robin = client_of(house, "chris"), client_of(house, "robin")
    chris.send(b"a IDLE\r\n")
    chris.heard()
    octets = letter("robin", 9)
    robin.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(octets), octets))
    for _ in range(20):
        house.clock.advance(1)
    assert "EXISTS" not in chris.heard()


def test_a_mailbox_made_anew_is_another(house):
    """A folder that is deleted and made again shows nothing of the old one, though its UIDs begin as they did."""
    client = client_of(house, "robin")
    for words in ("one", "two"):
        octets = letter(words, 0)
        ask(house, client, "CREATE Work")
        client.send(b"a APPEND Work {%d+}\r\n%b\r\n" % (len(octets), octets))
        house.clock.advance(0.1)
        ask(house, client, "SELECT Work")
        heard = ask(house, client, "FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY.PEEK[1])")
        assert f"of-{words}" in heard and (words == "one" or "of-one" not in heard)
        ask(house, client, "SELECT INBOX")
        ask(house, client, "DELETE Work")


def test_structures_are_remembered_by_whose_they_are():
    """What is kept between commands is found by account, folder, its UIDVALIDITY and UID, and by nothing less."""
    kept = Structures()
    one, two = letter("robin", 1), letter("chris", 1)
    assert kept.of(("u-robin", 1, 1, 1), one) != kept.of(("u-chris", 1, 1, 1), two)
    assert kept.of(("u-robin", 1, 1, 1), two) is kept.of(("u-robin", 1, 1, 1), one)


def test_who_signed_in_is_one_sessions_affair():
    """The same door, the same address: one is Robin, the other is nobody yet."""
    door = Conversation(door="submission", ip="127.0.0.1", access=HERE).signed_in()
    door.connect("127.0.0.1").greeted()
    assert door.codes("MAIL FROM:<robin@vm1.example.com>") == ["530 5.7.0"]


def test_mail_of_one_session_is_not_anothers():
    """Two clients of one door, their messages interleaved octet by octet: each gets its own, whole."""
    door = Conversation(ip="192.0.2.7")
    clients = []
    for _ in range(2):
        door.connect()
        clients.append((door.session, door.wire))
    pairs = []
    for (session, _), owner in zip(clients, ("robin", "chris"), strict=True):
        text = (
            f"EHLO x\r\nMAIL FROM:<{owner}@vm1.example.com>\r\nRCPT TO:<terry@vm1.example.com>\r\nDATA\r\n"
            f"From: {owner}@vm1.example.com\r\nSubject: of-{owner}\r\n\r\n{'body of-' + owner} \r\n.\r\n"
        ).encode()
        pairs.append((session, text))
    for at in range(max(len(text) for _, text in pairs)):
        for session, text in pairs:
            if at < len(text):
                session.dataReceived(text[at : at + 1])
    assert len(door.spool.committed) == 2
    for done in door.spool.committed:
        owner = done.envelope.sender.partition("@")[0]
        other = "chris" if owner == "robin" else "robin"
        assert f"of-{owner}".encode() in done.octets and f"of-{other}".encode() not in done.octets
        assert f"{owner}@".encode() in done.head and f"{other}@".encode() not in done.head
