"""What a class of service lets a mail program see, on a running node: changed while clients are connected."""

import imaplib
import mailbox
import re
import time

import pytest

from tests.stories.house import House, fetch_all, until
from tests.stories.site import letter as vector

ROBIN, CHRIS = "robin.smith@example.com", "chris.jones@example.com"
WORDS = b"the words that are withheld"
WITHIN_S = 2.0
"""How soon a change is in force on running nodes, as seen by who is connected."""


def letter(number, mark=b""):
    return (
        b"From: robin.smith@example.com\r\nTo: chris.jones@example.com\r\nSubject: number %d\r\n"
        b"Message-ID: <%d@class.example>\r\n" % (number, number)
    ) + mark + b"Content-Type: text/plain\r\n\r\n" + WORDS + b"\r\n"


MARKS = (b"", b"Sensitivity: private\r\n", b"X-Unity-Secure: true\r\n")


@pytest.fixture
def mail(house):
    """A node at whose class Default everything can be seen; Chris has an ordinary, a private and a secure message."""
    house.run("cos", "set", "Default", "--imap-bodies", "all", "--secure", "ask", "--secure-imap")
    for number, mark in enumerate(MARKS):
        house.submit("robin", [CHRIS], letter(number, mark), sender=ROBIN)
    return house


def seen(octets):
    return {uid: WORDS in one for uid, one in octets.items()}


def test_what_each_class_shows(mail):
    """Bodies of all, of what is not private, of none; secure ones only where the class says so: each within moments."""
    assert seen(mail.read("chris")) == {1: True, 2: True, 3: True}
    with mail.imap("chris") as box:
        for words, shown in (
            (("--no-secure-imap",), {1: True, 2: True, 4: False}),
            (("--imap-bodies", "not-private"), {1: True, 4: False, 5: False}),
            (("--imap-bodies", "headers"), {4: False, 5: False, 6: False}),
            (("--imap-bodies", "all", "--secure-imap"), {7: True, 8: True, 9: True}),
        ):
            mail.run("cos", "set", "Default", *words)
            began = time.monotonic()
            assert seen(fetch_all(box)) == shown
            assert time.monotonic() - began < WITHIN_S
    lines = [line for line in mail.output if " withholding-changed " in line]
    assert [re.search(r"folders=1 messages=(\d)", line)[1] for line in lines] == ["1", "1", "1", "3"]


def test_who_idles_hears_of_it(mail):
    """A client that waits for news is told which messages left and how many there are, within two seconds."""
    mail.read("chris")
    with mail.imap("chris") as box:
        box.select("INBOX")
        box.send(b"i IDLE\r\n")
        assert box.readline() == b"+ idling\r\n"
        mail.run("cos", "set", "Default", "--imap-bodies", "headers", "--no-secure-imap")
        began, heard = time.monotonic(), []
        while b"* 3 EXISTS\r\n" not in heard:
            heard.append(box.readline())
        assert time.monotonic() - began < WITHIN_S
        assert sum(b"EXPUNGE" in line for line in heard) == 3
        box.send(b"DONE\r\n")
        while not heard[-1].startswith(b"i OK"):
            heard.append(box.readline())
        _, parts = box.fetch("1:*", "(BODY.PEEK[])")
        assert not any(WORDS in part[1] for part in parts if isinstance(part, tuple)) and len(parts) >= 3


def test_imap_is_taken_away_and_given_again(mail):
    """Who is connected is shown out with the reason, also while idle; a sign-in is refused with the reason."""
    with mail.imap("chris") as box:
        box.select("INBOX")
        box.send(b"i IDLE\r\n")
        assert box.readline() == b"+ idling\r\n"
        mail.run("cos", "set", "Default", "--no-imap")
        began, line = time.monotonic(), b"* OK"
        while line.startswith(b"* OK"):
            line = box.readline()
        assert time.monotonic() - began < WITHIN_S
        assert line == b"* BYE [AUTHORIZATIONFAILED] Your class of service does not include IMAP\r\n"
        box.shutdown()
        box.state = "LOGOUT"
    with pytest.raises(imaplib.IMAP4.error, match="AUTHORIZATIONFAILED"):
        mail.imap("chris")
    mail.run("cos", "set", "Default", "--imap")
    assert len(mail.read("chris")) == 3


def test_secure_messages_are_read_over_tls(mail):
    """For a class that shows them, a sign-in in the clear is refused, and one over TLS shows them."""
    with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
        mail.imap("chris", "imap")
    assert seen(mail.read("chris"))[3]
    mail.run("cos", "set", "Default", "--no-secure-imap")
    with mail.imap("chris", "imap") as box:
        assert seen(fetch_all(box)) == {1: True, 2: True, 4: False}


def exported(folder):
    return sorted(path.read_bytes() for path in folder.rglob("cur/*"))


def test_an_export(mail, tmp_path):
    """Goes without the contents of what is secure or withheld; `--include-secure` puts all of it in their place."""
    mail.run("cos", "set", "Default", "--imap-bodies", "not-private", "--no-secure-imap")
    facts = mail.ask("mailbox", "export", "chris", str(tmp_path / "out"), "--format", "maildir")
    assert (facts["taken"], facts["withheld"]) == (3, 2)
    assert [WORDS in one for one in exported(tmp_path / "out")].count(True) == 1
    facts = mail.ask("mailbox", "export", "chris", str(tmp_path / "out"), "--format", "maildir", "--include-secure")
    assert (facts["taken"], facts["known"], facts["withheld"]) == (2, 1, 0)
    assert [WORDS in one for one in exported(tmp_path / "out")] == [True, True, True]
    mail.run("cos", "set", "Default", "--imap-bodies", "all", "--secure-imap")
    facts = mail.ask("mailbox", "export", "chris", str(tmp_path / "box"), "--format", "mbox")
    box = mailbox.mbox(tmp_path / "box", create=False)
    assert (facts["withheld"], [WORDS in bytes(one) for one in box]) == (1, [True, True, False])
    box.close()


def test_workers_agree(model, tmp_path):
    """With several processes every one of them shows the same UIDs, and the same form, after each change."""
    house = House.like(model, tmp_path / "node", workers=2)
    house.start()
    try:
        house.run("cos", "set", "Default", "--imap-bodies", "all", "--secure", "ask")
        house.submit("robin", [CHRIS], letter(1, MARKS[1]), sender=ROBIN)
        until(lambda: house.read("chris"), "the message does not come")
        boxes = [house.imap("chris") for _ in range(4)]
        for number, kind in enumerate(("not-private", "all") * 4):
            house.run("cos", "set", "Default", "--imap-bodies", kind)
            assert [seen(fetch_all(box)) for box in boxes] == [{number + 2: kind == "all"}] * 4
        for box in boxes:
            box.logout()
    finally:
        house.stop()


def test_a_voice_message_that_was_not_heard(mail):
    """Reading the notice in place of a voice message is no hearing; its sender learns of the hearing that follows."""
    mail.run("cos", "set", "Default", "--no-secure-imap")
    asking = {"Disposition-Notification-To": ROBIN}
    mail.submit("robin", [CHRIS], vector("secure_voice_header", "unheard", **asking), sender=ROBIN)
    with mail.imap("chris") as box:
        box.select("INBOX")
        assert b"because it is secure" in box.fetch("4", "(BODY[])")[1][0][1]
        assert b"\\Seen" in box.fetch("4", "(FLAGS)")[1][0]
        assert b"$MDNSent" not in box.fetch("4", "(FLAGS)")[1][0]
    mail.run("cos", "set", "Default", "--secure-imap")
    with mail.imap("chris") as box:
        box.select("INBOX")
        uid = box.uid("SEARCH", "SUBJECT", "unheard")[1][0].decode()
        box.uid("STORE", uid, "-FLAGS", "(\\Seen)")
        box.uid("FETCH", uid, "(BODY[])")
        assert b"$MDNSent" in box.uid("FETCH", uid, "(FLAGS)")[1][0]
