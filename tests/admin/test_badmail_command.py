"""`unitymail badmail`: what is listed and shown, and what can be done with it."""

import pytest

from tests.spool.room import NOW
from unitymail.disk import Disk
from unitymail.interfaces.spool import Item
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.spool.badmail import BadMailFolder
from unitymail.spool.desk import QueueDesk

ENVELOPE = Envelope("x@elsewhere.example", (Recipient("robin@vm1.example.com"), Recipient("chris@vm1.example.com")))


@pytest.fixture
def line(unitymail, tmp_path):
    """Two messages are there, b1 and b2."""
    root, facts = str(tmp_path / "spool"), {"disk": Disk(), "now": lambda: NOW, "who": "tester"}
    unitymail.desk.bad_mail, unitymail.desk.queue = BadMailFolder(root, **facts), QueueDesk(root, **facts)
    message = tmp_path / "message"
    message.write_bytes(b"A: b\r\n\r\nHello.\r\n")
    for trace in ("b1", "b2"):
        unitymail.desk.bad_mail.keep(
            Item(trace, str(message), NOW - 9, ENVELOPE, "email", "normal", False, "Hi", "<1@x>", "", 16, 0, ()),
            "nobody here is x@elsewhere.example",
        )
    return unitymail


def ids(line):
    return [row["id"] for row in line.json("badmail", "list")]


def test_listed_and_shown(line, tmp_path):
    """Why each is here, since when, whose it is, and the file to read it."""
    assert ids(line) == ["b1", "b2"]
    assert "nobody here is x@elsewhere.example" in line.do("badmail", "list")
    assert line.json("badmail", "show", "b1") == {
        "id": "b1", "kept": "2025-11-24T16:00:00Z", "sender": "x@elsewhere.example",
        "recipients": ["robin@vm1.example.com", "chris@vm1.example.com"], "subject": "Hi", "message_id": "<1@x>",
        "category": "email", "size": 16, "reason": "nobody here is x@elsewhere.example",
        "path": str(tmp_path / "spool" / "badmail" / "b1.eml"),
    }  # fmt: skip


def test_sent_back_in(line):
    """It waits in the queue to be decided anew, and is bad mail no more."""
    assert line.do("badmail", "requeue", "b1") == "b1 is back in the queue.\n"
    assert ids(line) == ["b2"]
    assert [(row["trace"], row["steps"]) for row in line.json("queue", "list")] == [("b1", ["decide"])]


def test_delete_asks(line):
    """Gone after a yes, and only then; with --yes at once."""
    for answer, said in (("n\n", "Nothing was done."), ("", "With --yes it is not asked.")):
        refusal = line.refused("badmail", "delete", "b1", input=answer)
        assert "Delete b1 for good, telling nobody? [y/N]" in refusal and said in refusal
    assert ids(line) == ["b1", "b2"]
    assert line.run("badmail", "delete", "b1", input="y\n").stdout == "Deleted b1.\n"
    assert line.do("badmail", "delete", "b2", "--yes") == "Deleted b2.\n"
    assert ids(line) == []


def test_what_is_not_there(line):
    """Refused before anything is asked, with where to look."""
    for verb in ("show", "requeue", "delete"):
        refusal = line.refused("badmail", verb, "b9")
        assert "there is no bad mail b9; `unitymail badmail list` lists it" in refusal and "[y/N]" not in refusal
