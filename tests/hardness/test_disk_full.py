"""Class: disk full, failing or read-only. A passing refusal at the door, nothing half kept, and it all comes back.

Known examples: queue files cut short by ENOSPC that were delivered all the same, indexes broken by the last block, and
250 for what was never written. Each call of the disk failing in turn is in tests/power/test_disk_errors.py; here a real
door stands before a real spool and store.
"""

import errno
import os

import pytest

from tests.fakes import CHRIS
from tests.imap.conversation import MESSAGE, House
from tests.power.recording import ForgetfulDisk
from tests.power.scenario import Node
from tests.power.test_disk_errors import Failing
from tests.smtp.conversation import LETTER, Conversation, codes
from unitymail.settings.site import SiteSettings

ENVELOPE = b"MAIL FROM:<robin@vm1.example.com>\r\nRCPT TO:<chris@vm1.example.com>\r\n"
BODIES = {"small": LETTER, "large": LETTER + (b"x" * 76 + b"\r\n") * 3_000}
CODES = {
    errno.ENOSPC: "452 4.3.1", errno.EDQUOT: "452 4.3.1", errno.EIO: "451 4.3.0", errno.EROFS: "451 4.3.0",
    errno.EMFILE: "451 4.3.0", errno.ENFILE: "451 4.3.0", errno.EACCES: "451 4.3.0", errno.ENOMEM: "451 4.3.0",
}
OPEN = SiteSettings(unknown_sender="accept")


class Door:
    """An SMTP door before the spool of a node whose disk fails when it is told to."""

    def __init__(self, folder):
        self.failing = Failing(errno.EIO)
        self.node = Node(folder, ForgetfulDisk(folder, self.failing))
        self.c = Conversation(site=OPEN, spool=self.node.spool, clock=self.node.clock).greeted()
        self.folder = str(folder)

    def send(self, octets, *, chunks=False):
        """The codes of a whole transaction."""
        if chunks:
            half = len(octets) // 2
            wire = b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (half, octets[:half], len(octets) - half, octets[half:])
            return codes(self.c.send(ENVELOPE + wire) + self.later())
        said = self.c.send(ENVELOPE + b"DATA\r\n")
        if "354 " in said:
            said += self.c.send(octets + b".\r\n")
        return codes(said + self.later())

    def later(self):
        for _ in range(20):
            self.node.clock.advance(0.1)
        return self.c.heard()

    def inbox(self):
        return len(self.node.inbox(CHRIS).refresh().uids)

    def intake(self):
        return os.listdir(os.path.join(self.folder, "spool", "intake"))


@pytest.mark.parametrize("chunks", [False, True], ids=["DATA", "BDAT"])
@pytest.mark.parametrize("size", BODIES)
@pytest.mark.parametrize("number", CODES, ids=errno.errorcode.get)
def test_nothing_can_be_written(number, size, chunks, tmp_path):
    """The client hears that it may try again, nothing stays behind, and its next try is kept."""
    door = Door(tmp_path)
    door.failing.number, door.failing.always = number, True
    said = door.send(BODIES[size], chunks=chunks)
    assert CODES[number] in said[2:] and said[-1] != "250 2.0.0"
    door.failing.always = False
    assert door.inbox() == 0
    assert door.send(BODIES[size], chunks=chunks)[-1] == "250 2.0.0"
    door.later()
    assert door.inbox() == 1 and door.intake() == []
    door.node.stop()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_each_write_of_a_large_message(number, tmp_path):
    """It fails after the first octets, the last, in the flush, in the link: 45x, or 250 and the message is there."""
    counting = Door(tmp_path / "count")
    began = counting.failing.calls
    counting.send(BODIES["large"])
    ended = counting.failing.calls
    counting.node.stop()
    assert ended - began > 5
    for at in range(began + 1, ended + 1):
        door = Door(tmp_path / str(at))
        door.failing.number, door.failing.at = number, at
        said = door.send(BODIES["large"])
        assert said[-1] in (CODES[number], "250 2.0.0"), at
        for _ in range(60):
            door.node.clock.advance(5)
        assert door.inbox() == (said[-1] == "250 2.0.0"), (at, door.failing.failed)
        door.node.stop()


def test_little_space_is_left():
    """Below the bound MAIL is put off, before an octet of the message: the last blocks are for the node's own work."""
    free = [10**9]
    c = Conversation(free=lambda: free[0]).greeted()
    assert c.codes("MAIL FROM:<robin@vm1.example.com> SIZE=1000", "RSET") == ["250 2.1.0", "250 2.0.0"]
    free[0] = 1_000
    assert c.codes("MAIL FROM:<robin@vm1.example.com> SIZE=1000", "RCPT TO:<chris@vm1.example.com>", "DATA") == [
        "452 4.3.1", "503 5.5.1", "503 5.5.1",
    ]  # fmt: skip
    assert c.codes("MAIL FROM:<robin@vm1.example.com> SIZE=999", "RSET") == ["250 2.1.0", "250 2.0.0"]
    free[0] = -1
    assert c.codes("MAIL FROM:<robin@vm1.example.com>", "MAIL FROM:<>") == ["452 4.3.1", "452 4.3.1"]
    free[0] = 10**9
    assert c.letter("chris@vm1.example.com")[-1] == "250 2.0.0"


def test_little_space_is_left_for_append():
    """The octets of an APPEND are not even asked for; reading, flagging and expunging go on."""
    house = House(free=lambda: 500)
    house.inbox.put(MESSAGE)
    client = house.selected()
    [answer] = client.say("a APPEND INBOX {1000}")
    assert answer.startswith("a NO [UNAVAILABLE] The disk is full")
    assert client.say("b STORE 1 +FLAGS (\\Deleted)")[-1].startswith("b OK")
    assert client.say("c EXPUNGE")[-1].startswith("c OK")
    client.send(b"d APPEND INBOX {%d+}\r\n%b\r\n" % (len(MESSAGE), MESSAGE))
    assert "d OK" in client.heard()
