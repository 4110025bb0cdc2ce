"""`unitymail queue`: what waits, and what may be done to it, as a person and a script see it."""

import json
import os
from dataclasses import replace

import pytest
from twisted.internet.task import Clock

from tests.spool.room import NOW, a_spool, receive
from unitymail.disk import Disk
from unitymail.interfaces.spool import DONE, Outcome
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Importance
from unitymail.routing.steps import Deliver, HandOver, RelayToSmartHost, RelayToUser, Report
from unitymail.spool.desk import QueueDesk

PAT, LEE = RelayToSmartHost("pat@elsewhere.example"), RelayToSmartHost("Lee@Other.example")
BUSY = Outcome("try-again", "4.3.2", "The system is busy.", "452 4.3.2 Come back later", "mx.elsewhere.example")


class Queue:
    """A spool of a node, and what its courier would do."""

    def __init__(self, root, line):
        clock = Clock()
        clock.advance(NOW)
        self.room = a_spool(root, clock=clock)
        self.line = line
        line.desk.queue = QueueDesk(self.room.places.root, disk=Disk(), now=clock.seconds, who="tester")
        type(line.desk).now = property(lambda desk: clock.seconds())

    def send(self, trace, *steps, **facts):
        done, _ = receive(self.room, trace, b"\r\nx\r\n", *(steps or (PAT,)), **facts)
        assert done.result is None
        self.room.clock.advance(1)

    def claim(self, trace):
        return self.room.spool.queue.claim(trace).result

    def postpone(self, trace, done=()):
        item = self.claim(trace)
        steps = [
            replace(s, outcome=DONE) if n in done else replace(s, attempts=2, next_at=NOW + 900, last=BUSY)
            for n, s in enumerate(item.steps)
        ]
        self.room.spool.queue.record(replace(item, steps=tuple(steps)))
        self.room.spool.queue.release(trace, NOW + 900)


@pytest.fixture
def queue(tmp_path, unitymail):
    kind = type(unitymail.desk)
    now = kind.now
    yield Queue(tmp_path, unitymail)
    kind.now = now


def test_an_empty_queue(unitymail, queue):
    """A list without lines, an empty JSON list."""
    assert unitymail.json("queue", "list") == []
    assert unitymail.do("queue", "list").splitlines()[1:] == []
    assert "no such message" in unitymail.do("queue", "retry", "--all")


def test_the_list(unitymail, queue):
    """Each message with who waits for it, since when, why, and until when."""
    queue.send("t1", PAT, LEE)
    queue.postpone("t1", done=(0,))
    queue.send("t2", HandOver("l-1", "jo@b.example", "all@b.example"), importance=Importance.HIGH)
    queue.room.clock.advance(7_200)
    first, second = unitymail.json("queue", "list")
    size = first.pop("size")
    assert first == {
        "trace": "t1", "sender": "chris@vm1.example.com", "recipients": ["Lee@Other.example"],
        "steps": ["relay-to-smart-host"], "next_hop": "smart-host", "attempts": 2,
        "next_at": "2025-11-24T16:15:00Z", "being_tried": False, "age": 7_202, "held": False, "subject": "Hello",
        "priority": "normal",
        "last_error": "mx.elsewhere.example: 452 4.3.2 Come back later",
    }  # fmt: skip
    assert size == os.path.getsize(queue.room.places.items + "/t1.eml")
    assert (second["recipients"], second["next_hop"], second["priority"]) == (["all@b.example"], "peer l-1", "urgent")
    assert second["next_at"] is None
    lines = unitymail.do("queue", "list").splitlines()
    assert lines[1].split()[:2] == ["t1", "2h"]
    assert "Come back later" in lines[1] and "now" in lines[2]


def test_many_recipients_are_few_words(unitymail, queue):
    """A message to hundreds is one short line; JSON names all."""
    queue.send("t1", *(RelayToSmartHost(f"p{n}@x.example") for n in range(200)))
    assert "p2@x.example, and 197 more" in unitymail.do("queue", "list")
    assert len(unitymail.json("queue", "list")[0]["recipients"]) == 200


def test_one_message(unitymail, queue):
    """Every step with its outcome, and what is known of the message."""
    report = Report("chris@vm1.example.com", ())
    queue.send("t1", PAT, RelayToUser("u-robin", "robin@relay.example", "robin@vm1.example.com"), report)
    queue.postpone("t1", done=(0,))
    page = unitymail.json("queue", "show", "t1")
    assert page["message_id"] == "<1@example.com>"
    assert page["recipients"] == ["robin@vm1.example.com"]
    assert [(s["step"], s["to"], s["state"], s["attempts"]) for s in page["step_states"]] == [
        ("relay-to-smart-host", "pat@elsewhere.example", "done", 0),
        ("relay-to-user", "robin@vm1.example.com", "waits", 2),
        ("report", "", "waits", 2),
    ]
    assert page["step_states"][1]["last"]["remote_mta"] == "mx.elsewhere.example"
    assert page["envelope"] == [{"address": "robin@vm1.example.com", "notify": None}]
    assert "Come back later" in unitymail.do("queue", "show", "t1")
    assert "`unitymail queue list`" in unitymail.refused("queue", "show", "t9")


def test_retry_of_all_while_some_are_tried(unitymail, queue):
    """What is worked on already is not waiting: --all and --to pass it by, by its ID it is refused."""
    for trace in ("t1", "t2"):
        queue.send(trace)
        queue.postpone(trace)
    queue.claim("t1")
    assert unitymail.do("queue", "retry", "--all") == "t2 is tried now.\n"
    assert unitymail.json("queue", "retry", "--to", "elsewhere.example") == [
        {"trace": "t2", "retried": True, "refusal": ""}
    ]
    assert "being worked on now" in unitymail.refused("queue", "retry", "t1")


def test_retry_hold_release(unitymail, queue):
    """Said and done for each message; the node's courier sees it when it looks."""
    queue.send("t1")
    queue.postpone("t1")
    assert unitymail.do("queue", "hold", "t1") == "t1 is held.\n"
    assert unitymail.json("queue", "list", "--held")[0]["trace"] == "t1"
    assert "held" in unitymail.do("queue", "list").splitlines()[1]
    assert "queue release" in unitymail.refused("queue", "retry", "t1")
    assert unitymail.json("queue", "release", "t1") == [{"trace": "t1", "released": True, "refusal": ""}]
    assert unitymail.do("queue", "retry", "t1") == "t1 is tried now.\n"
    queue.room.spool.queue.look()
    assert queue.room.spool.queue.due(NOW + 3) == "t1"
    assert queue.claim("t1").steps[0].next_at == 0.0
    assert "worked on" in unitymail.run("queue", "hold", "t1").stderr


def test_while_it_is_tried(unitymail, queue):
    """A list and a page of a message say that somebody works on it; of others, when they are next."""
    queue.send("t1")
    queue.send("t2")
    queue.claim("t1")
    assert [row["being_tried"] for row in unitymail.json("queue", "list")] == [True, False]
    first, second = unitymail.do("queue", "list").splitlines()[1:]
    assert ("being tried now" in first, "being tried now" in second) == (True, False)
    assert [unitymail.json("queue", "show", trace)["being_tried"] for trace in ("t1", "t2")] == [True, False]
    assert queue.claim("t2") is not None


def test_the_reason_names_the_other_side_once(unitymail, queue):
    """Before its own words, which do not; our sentence names it where that matters."""
    queue.send("t1")
    item = queue.claim("t1")
    ours = replace(BUSY, why="mx.elsewhere.example closed the connection.", diagnostic="")
    state = replace(item.steps[0], attempts=1, next_at=NOW + 900, last=ours)
    queue.room.spool.queue.record(replace(item, steps=(state,)))
    queue.room.spool.queue.release("t1", NOW + 900)
    assert unitymail.json("queue", "list")[0]["last_error"] == "mx.elsewhere.example closed the connection."


def test_several_at_once(unitymail, queue):
    """By their ids, all of them, or all for a domain; what is refused does not keep the others from being done."""
    for trace, step in (("t1", PAT), ("t2", LEE), ("t3", LEE), ("t4", Deliver("u-robin", "robin@vm1.example.com"))):
        queue.send(trace, step, PAT if step is PAT else LEE)
    result = unitymail.run("queue", "hold", "t1", "t9", "t1")
    assert (result.exit_code, result.stdout) == (1, "t1 is held.\n")
    assert "t9" in result.stderr
    assert unitymail.do("queue", "hold", "--to", "other.example").splitlines() == [
        "t2 is held.", "t3 is held.", "t4 is held.",
    ]  # fmt: skip
    assert [i["trace"] for i in unitymail.json("queue", "list", "--to", "@Elsewhere.example")] == ["t1"]
    assert [i["trace"] for i in unitymail.json("queue", "list", "--to", "lee@other.example")] == ["t2", "t3", "t4"]
    released = unitymail.json("queue", "release", "--all")
    assert [row["trace"] for row in released if row["released"]] == ["t1", "t2", "t3", "t4"]


def test_which_messages_must_be_said(unitymail, queue):
    """Nothing is done to everything by accident: no ids, or ids beside --all, is wrong usage."""
    for words in (("hold",), ("delete", "--yes"), ("retry", "t1", "--all"), ("bounce", "--all", "--to", "x", "--yes")):
        assert unitymail.run("queue", *words).exit_code == 2


def test_bounce_asks_and_tells_why(unitymail, queue):
    """A no changes nothing; with --yes the recipients fail with the given reason."""
    queue.send("t1")
    result = unitymail.run("queue", "bounce", "t1", input="n\n")
    assert result.exit_code == 1
    assert "Return t1 to the sender?" in result.stderr
    assert unitymail.json("queue", "show", "t1")["step_states"][0]["state"] == "waits"
    assert unitymail.do("queue", "bounce", "t1", "--why", "No such firm.", "--yes") == "t1 goes back to its sender.\n"
    page = unitymail.json("queue", "show", "t1")
    assert page["step_states"][0]["outcome"]["status"] == "5.0.0"
    assert "No such firm." in page["step_states"][0]["outcome"]["why"]
    assert unitymail.json("queue", "list") == []


def test_delete_asks(unitymail, queue):
    """Gone after a yes, and only then."""
    queue.send("t1")
    queue.send("t2")
    assert unitymail.refused("queue", "delete", "--all", input="\n").endswith("Nothing was done.\n")
    assert "With --yes it is not asked." in unitymail.refused("queue", "delete", "--all", input="")
    assert len(unitymail.json("queue", "list")) == 2
    result = unitymail.run("queue", "delete", "--all", input="y\n")
    assert "Delete 2 messages for good" in result.stderr
    assert result.stdout.splitlines() == ["t1 is deleted.", "t2 is deleted."]
    assert unitymail.json("queue", "list") == []


def test_mail_for_later(unitymail, queue):
    """It shows when its sender wants it sent, and can be sent now."""
    later = Envelope("chris@vm1.example.com", (Recipient("pat@elsewhere.example"),), hold_until=NOW + 86_400)
    queue.send("t1", envelope=later)
    page = unitymail.json("queue", "show", "t1")
    assert page["hold_until"] == page["next_at"] == "2025-11-25T16:00:00Z"
    assert "later" in unitymail.refused("queue", "retry", "t1")
    unitymail.do("queue", "release", "t1")
    assert unitymail.json("queue", "show", "t1")["next_at"] is None


def test_json_is_one_list(unitymail, queue):
    """However many, it is one valid document."""
    for n in range(30):
        queue.send(f"t{n}")
    assert len(json.loads(unitymail.do("--json", "queue", "list"))) == 30
