"""A mailbox that is full stays so, whichever door and process the mail comes by: storage run full by one correspondent,
or by its own user, in spite of a quota.

A real node with two workers, so that what one delivers must count for what the other is asked.
"""

import smtplib

import pytest

from tests.stories.house import House, no_check, until

ROBIN, CHRIS = "robin.smith@example.com", "chris.jones@example.com"
LIMIT = ("--quota", "warning=40K,send=80K,receive=200K")
"""So far apart that the warnings, which come when they come, do not decide which letter is the last."""
CONNECTIONS = 6
"""Enough that each of the workers has some."""


@pytest.fixture
def house(model, tmp_path):
    home = House.like(model, tmp_path / "node", workers=2)
    home.run("access", "add", "127.0.0.1", "--allow")
    home.run("user", "set", "chris", *LIMIT)
    home.start()
    yield home
    home.stop()
    home.expect_short_turns()


def letter(sender, to, octets=60_000):
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: Letter\r\n\r\n"
    return head.encode() + (b"y" * 74 + b"\r\n") * (octets // 76)


def offered(house):
    """What the mta door says of a message for Chris, connection after connection: codes of RCPT, until the first no."""
    with smtplib.SMTP("127.0.0.1", house.ports["smtp"]) as client:
        client.starttls(context=no_check())
        client.ehlo()
        client.mail(ROBIN)
        code, words = client.rcpt(CHRIS)
        return (client.data(letter(ROBIN, CHRIS))[0] if code == 250 else code), words


def letters_of_robin(house):
    """How many are in Chris's mailbox, where warnings of the node arrive, too."""
    return sum(b"\r\nFrom: " + ROBIN.encode() in octets for octets in house.read("chris").values())


def test_a_full_mailbox_takes_no_more_from_any_worker(house):
    """The message that crosses the limit is taken, none after it; each connection hears so, with what to do later."""
    taken = 0
    while (answer := offered(house))[0] == 250:
        taken += 1
        assert taken < 10
    assert (taken, answer[0]) == (4, 452)
    assert [offered(house)[0] for _ in range(CONNECTIONS)] == [452] * CONNECTIONS
    assert answer[1].startswith(b"4.2.2 ")
    assert letters_of_robin(house) == taken

    # Who signed in is told by a report, and may not send over their own quota.
    house.submit("robin", [CHRIS], letter(ROBIN, CHRIS), sender=ROBIN)
    until(lambda: any(b"Status: 4.2.2" in octets for octets in house.read("robin").values()), "no report came")
    assert letters_of_robin(house) == taken
    with house.smtp("chris") as client:
        code, words = client.mail(CHRIS)
        assert code == 552 and words.startswith(b"5.2.2 ")
    with house.imap("chris") as box:
        kind, words = box.append("INBOX", None, None, letter(CHRIS, CHRIS))
        assert kind == "NO" and b"OVERQUOTA" in words[0]

    # Deleting makes room, at every worker.
    with house.imap("chris") as box:
        box.select("INBOX")
        box.store("1:*", "+FLAGS", r"(\Deleted)")
        box.expunge()
    assert [offered(house)[0] for _ in range(2)] == [250, 250]
