"""MT-PRIORITY: what is asked for, and what is granted."""

import pytest

from tests.smtp.conversation import LETTER, Conversation, codes
from tests.smtp.peers import proven
from tests.smtp.test_server import OPEN


def sent(c, priority, address="robin@vm1.example.com"):
    said = c.codes(f"MAIL FROM:<{address}> MT-PRIORITY={priority}", "RCPT TO:<chris@vm1.example.com>", "DATA")
    assert said == ["250 2.1.0", "250 2.1.5", "354"]
    return c.send(LETTER + b".\r\n")


@pytest.mark.parametrize("priority", [-9, -4, 0, 4, 9])
def test_granted(priority):
    """Whoever is known has its message as urgent as it says."""
    for c in (Conversation().greeted(), Conversation(site=OPEN, access=()).signed_in(), proven()):
        assert codes(sent(c, priority)) == ["250 2.0.0"]
        assert c.spool.committed[0].envelope.priority == priority


def test_a_stranger_is_not_urgent():
    """RFC 6710: the reply names the priority that was given instead, with the code for that."""
    c = Conversation(site=OPEN, access=()).greeted()
    said = sent(c, 6)
    [kept] = c.spool.committed
    assert said == (
        "250 2.3.6 0 is the priority of the message here, for you did not sign in; accepted; trace "
        f"{kept.trace}\r\n"
    )
    assert kept.envelope.priority == 0
    assert codes(sent(c, -6)) == ["250 2.0.0"]
    assert c.spool.committed[1].envelope.priority == -6


def test_a_refused_message_says_why():
    """What is refused says that, not its priority."""
    c = Conversation(site=OPEN, access=()).greeted()
    c.say("MAIL FROM:<> MT-PRIORITY=6", "RCPT TO:<chris@vm1.example.com>", "DATA")
    assert codes(c.send(b"\0\r\n.\r\n")) == ["554 5.6.0"]
