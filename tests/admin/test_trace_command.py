"""`unitymail trace`: the story of a message as the journal noted it, for people and for scripts."""

import json
from types import SimpleNamespace

import pytest
from twisted.internet.task import Clock

from tests.fakes import InlineThreads, RecordingJournal
from unitymail.disk import Disk
from unitymail.history.history import History
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import DONE, Item, Outcome, StepState
from unitymail.journal.journal import Journal
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Importance, Message, Sensitivity
from unitymail.mail.reply import Reply
from unitymail.policy.aging import Rule
from unitymail.routing.decision import Decision, Origin, RecipientDecision, SenderFinding
from unitymail.routing.steps import Deliver, Fate, RelayToSmartHost, Report

PASSWORD = "tulips at noon\n"
NOON = 1_795_600_000.0
TRACE = "0mf0w5zc5s1vkcq7tdj8"


@pytest.fixture
def house(unitymail):
    """Robin and Chris."""
    for alias, last in (("robin", "smith"), ("chris", "jones")):
        unitymail.do("user", "add", alias, "--proxy", f"{alias}.{last}@example.com", "--password-stdin", input=PASSWORD)
    return unitymail


@pytest.fixture
def id_of(house):
    return lambda alias: house.json("user", "show", alias)["id"]


class Past:
    """What a node noted, at times of our choice; `tell()` writes it."""

    def __init__(self, path):
        self.clock = Clock()
        self.clock.advance(NOON)
        self.troubles = RecordingJournal()
        self.history = History(
            path, disk=Disk(), clock=self.clock, threads=InlineThreads(), days=lambda: 30, journal=self.troubles
        )
        lines = SimpleNamespace(add=lambda line: None)
        self.journal = Journal(lines=lines, now=self.clock.seconds, history=self.history)

    def later(self, seconds):
        self.clock.advance(seconds)

    def tell(self):
        self.clock.advance(1)
        assert not self.troubles.events


@pytest.fixture
def past(house, tmp_path):
    past = Past(str(tmp_path / "directory.sqlite.history"))
    yield past
    past.history.stop()


def came_in(past, robin, *steps, trace=TRACE, to="chris.jones@example.com", subject="Lunch", matched="", kind="user"):
    """A message of Robin's to one recipient, received and decided."""
    envelope = Envelope("robin.smith@example.com", (Recipient(to),))
    origin = Origin("submission", "192.0.2.7", "pc.example.com", robin, "authenticated", "TLSv1.3")
    message = Message(
        Category.VOICE, "R5", Sensitivity.PRIVATE, False, Importance.NORMAL, False, 2_000,
        header_from=("robin.smith@example.com",), subject=subject, message_id=f"<{trace}@example.com>",
    )  # fmt: skip
    decision = Decision(
        message, SenderFinding("robin.smith@example.com", "user", robin),
        (RecipientDecision(to, kind, matched, steps, "since it is so"),), steps,
    )  # fmt: skip
    past.journal.received(
        trace, door="submission", client="192.0.2.7", sender=envelope.sender, recipients=1, size=2_000,
        category="voice", rule="R5", user=robin, message_id=message.message_id, envelope=envelope, origin=origin,
    )  # fmt: skip
    past.journal.decided(trace, decision)


@pytest.fixture
def delivered(past, id_of):
    """A message to Chris that she has read."""
    robin, chris = id_of("robin"), id_of("chris")
    past.journal.delivered(TRACE, chris, "chris.jones@example.com")
    came_in(past, robin, Deliver(chris, "chris.jones@example.com"), matched=chris)
    past.tell()
    past.later(3_600)
    past.journal.read(TRACE, chris)
    past.tell()


def test_events_for_scripts(house, delivered, id_of):
    """In order, each with an ISO time in UTC, its name, and what is known of it."""
    told = house.json("trace", TRACE)
    assert [event["event"] for event in told] == ["received", "decided", "delivered", "read"]
    assert list(told[0])[:2] == ["time", "event"]
    assert told[0]["time"] == "2026-11-25T09:46:40.000Z"
    assert told[3]["time"] == "2026-11-25T10:46:41.000Z"
    assert told[0]["recipients"] == ["chris.jones@example.com"]
    assert told[1]["subject"] == "Lunch"
    assert told[1]["recipients"][0]["steps"] == [
        {"step": "deliver", "account": id_of("chris"), "to": "chris.jones@example.com"}
    ]


def test_by_the_id_of_a_converted_copy(house, delivered):
    """A receipt from a voice-mail system names the Message-ID of the copy it got: the story is the original's."""
    assert house.json("trace", "--message-id", f"<{TRACE}.vpim.l-far@vm1.example.com>") == house.json("trace", TRACE)
    assert "Nothing is known" in house.refused("trace", "--message-id", f"<{TRACE}.vpim.l-far@elsewhere.example>")


def test_the_story_in_words(house, delivered):
    """One paragraph a step, names instead of ids."""
    said = house.do("trace", TRACE)
    assert said.startswith(f"Message {TRACE}\n")
    for words in (
        "Received from 192.0.2.7 (pc.example.com) at the submission door, signed in as robin, TLSv1.3: 2000 octets.",
        "from robin.smith@example.com to chris.jones@example.com",
        "Decided: voice by rule R5, private.",
        "to chris.jones@example.com: user chris; since it is so",
        "deliver into the mailbox of chris",
        "Delivered into the mailbox of chris, for chris.jones@example.com.",
        "Read by chris.",
    ):
        assert words in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    "words",
    [
        ("--message-id", f"<{TRACE}@example.com>"),
        ("--message-id", f"{TRACE}@example.com"),
        ("--from", "robin.smith@example.com"),
        ("--from", "robin@vm1.example.com", "--to", "chris"),
        ("--to", "CHRIS.JONES@example.com", "--since", "2026-11-25"),
        ("--from", "robin", "--to", "chris@vm1.example.com", "--since", "2026-11-25T09:00:00Z"),
    ],
)
def test_found_by_what_is_known(house, delivered, words):
    """By Message-ID, or by any address or alias of sender and recipient."""
    assert house.json("trace", *words)[0]["event"] == "received"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nosuchtrace",), "Nothing is known of a message with the trace nosuchtrace. Stories are kept for 30 days"),
        (("--message-id", "x@y"), "a message with the Message-ID x@y"),
        (("--from", "chris", "--to", "robin"), "a message from chris to robin"),
        (("--from", "robin", "--since", "2026-11-26"), "a message from robin since 2026-11-26 00:00:00"),
    ],
)
def test_nothing_found(house, delivered, words, said):
    """Exit code 1, and a sentence that says what was looked for and how far back."""
    assert said in house.refused("trace", *words)


def test_a_moment_behind(house, past, id_of, monkeypatch):
    """Asked right after the message came: a running node's history is waited for, once."""
    came_in(past, id_of("robin"))
    monkeypatch.setattr("unitymail.admin.cli.trace.time.sleep", lambda seconds: past.tell())
    assert "Nothing is known" in house.refused("trace", TRACE)
    house.desk.running = 4711
    assert house.json("trace", TRACE)[0]["event"] == "received"


@pytest.mark.parametrize(
    "words",
    [(), ("x", "--from", "a@b"), ("x", "--since", "2h"), ("--from", "a@b", "--since", "soon"), ("--since", "2h")],
)
def test_wrong_usage(house, words):
    """Exit code 2."""
    assert house.run("trace", *words).exit_code == 2


def test_attempts_with_the_dialogue(house, past, id_of):
    """What a next hop said stands below its attempt, and what is tried again says when."""
    step = RelayToSmartHost("pat@example.org")
    came_in(past, id_of("robin"), step, to="pat@example.org", kind="unknown")
    past.later(1)
    busy = Outcome("try-again", "4.2.1", "The other side is busy.", "450 4.2.1 busy", "mail.example.net")
    past.journal.attempted(
        TRACE, "the smart host mail.example.net",
        Attempt((busy,), ("S: 220 mail.example.net", "C: MAIL FROM:<a@b>", "S: 450 4.2.1 busy"), "mail.example.net"),
        ("pat@example.org",),
    )  # fmt: skip
    past.journal.postponed(TRACE, step, "The other side is busy.", NOON + 61)
    past.later(60)
    done = Attempt((DONE,), ("C: .", "S: 250 ok"), "mail.example.net", sent_dot=False)
    past.journal.attempted(TRACE, "the smart host mail.example.net", done, ("pat@example.org",))
    past.tell()
    said = house.do("trace", TRACE)
    assert "Offered to the smart host mail.example.net (mail.example.net): not taken for its recipient." in said
    assert "pat@example.org: not now, 4.2.1 The other side is busy. (450 4.2.1 busy)" in said
    assert "\n" + " " * 25 + "S: 450 4.2.1 busy\n" in said
    assert "Not done yet: relay to pat@example.org: The other side is busy." in said
    assert "Sent to the smart host mail.example.net (mail.example.net): taken for its recipient." in said
    events = house.json("trace", TRACE)
    assert events[2]["outcomes"] == [{
        "to": "pat@example.org", "outcome": "try-again", "status": "4.2.1", "why": "The other side is busy.",
        "diagnostic": "450 4.2.1 busy", "remote_mta": "mail.example.net",
    }]  # fmt: skip
    assert events[3] == {
        "time": "2026-11-25T09:46:41.000Z", "event": "postponed", "trace": TRACE, "step": "relay-to-smart-host",
        "to": "pat@example.org", "why": "The other side is busy.", "again": "2026-11-25T09:47:41Z",
    }  # fmt: skip


def test_a_report_is_told_with_its_message(house, past, id_of):
    """The report has a trace of its own, and its story stands within that of the message; either id finds both."""
    robin = id_of("robin")
    fate = Fate("nobody@vm1.example.com", "failed", "5.1.1", "Nobody here has this address.")
    report = Report("robin.smith@example.com", (fate,))
    came_in(past, robin, report, to="nobody@vm1.example.com", kind="unknown")
    past.later(1)
    past.journal.delivered(f"{TRACE}-r0", robin, "robin.smith@example.com")
    past.journal.reported(TRACE, f"{TRACE}-r0", "robin.smith@example.com", 1)
    past.tell()
    said = house.do("trace", f"{TRACE}-r0")
    assert "report to robin.smith@example.com: nobody@vm1.example.com failed, 5.1.1 Nobody here" in said
    assert f"[{TRACE}-r0] Delivered into the mailbox of robin" in said
    assert f"A report went to robin.smith@example.com (recipients that it tells of: 1); it is {TRACE}-r0." in said
    assert house.json("trace", TRACE) == house.json("trace", f"{TRACE}-r0")


def test_a_refusal_after_the_message(house, past):
    """A message that was refused after its last octet is found by its envelope."""
    envelope = Envelope("robin.smith@example.com", (Recipient("chris.jones@example.com"),))
    reply = Reply(552, "5.2.2", "Your mailbox is over its send quota")
    past.journal.refused("submission", "192.0.2.7", "s1", "DATA", reply, trace=TRACE, envelope=envelope)
    past.tell()
    said = house.do("trace", "--from", "robin", "--to", "chris")
    assert "Refused, from 192.0.2.7 at the submission door: 552 5.2.2 Your mailbox is over its send quota" in said
    assert "nothing was kept" in said


def test_several_matches(house, past, id_of):
    """A table first, the newest on top, then each story; with many the table only."""
    for n in range(3):
        came_in(past, id_of("robin"), trace=f"0mf0w5zc5s{n}vkcq7tdj8", subject=f"Lunch {n}")
        past.later(2)
    said = house.do("trace", "--from", "robin")
    table, stories = said.split("\n\n", 1)
    assert [line.split()[2] for line in table.splitlines()[1:]] == [f"0mf0w5zc5s{n}vkcq7tdj8" for n in (2, 1, 0)]
    assert stories.count("Message 0mf0w5zc5s") == 3
    for n in range(3, 7):
        came_in(past, id_of("robin"), trace=f"0mf0w5zc5s{n}vkcq7tdj8")
    past.tell()
    said = house.do("trace", "--from", "robin")
    assert "`unitymail trace ID` tells one of them." in said
    assert "Received" not in said


def test_through_a_list(house, past, id_of):
    """Who says that a message to a list did not arrive is found by her own address."""
    robin, chris = id_of("robin"), id_of("chris")
    steps = (Deliver(robin, "staff@vm1.example.com"), Deliver(chris, "staff@vm1.example.com"))
    came_in(past, robin, *steps, to="staff@vm1.example.com", kind="list")
    past.journal.delivered(TRACE, robin, "staff@vm1.example.com")
    past.journal.delivered(TRACE, chris, "staff@vm1.example.com")
    past.tell()
    said = house.do("trace", "--to", "chris.jones@example.com")
    assert "Delivered into 2 mailboxes: robin, chris." in said


class Waiting:
    """A queue with one item."""

    tried = False

    def __init__(self, item):
        self._item = item

    def in_hand(self, trace):
        return self.tried

    def item(self, trace):
        return self._item if trace == self._item.trace else None


def in_queue(*states, held=False):
    envelope = Envelope("robin.smith@example.com", (Recipient("pat@example.org"),))
    return Waiting(Item(
        TRACE, "/x", NOON, envelope, "voice", "normal", False, "Lunch", "<m@x>", "", 2_000, 300, states, held=held
    ))  # fmt: skip


def test_what_still_waits(house, past, id_of):
    """The present state comes last: what is still to be done, how often it was tried, when again."""
    step = RelayToSmartHost("pat@example.org")
    came_in(past, id_of("robin"), step, to="pat@example.org", kind="unknown")
    past.tell()
    house.desk.queue = in_queue(StepState(step, 2, NOON + 120))
    said = house.do("trace", TRACE)
    assert "It waits still." in said
    assert "relay to pat@example.org: tried 2 times, next at " in said
    waiting = house.json("trace", TRACE)[-1]
    assert (waiting["event"], waiting["steps"]) == ("waiting", [{
        "step": "relay-to-smart-host", "to": "pat@example.org", "attempts": 2, "next_at": "2026-11-25T09:48:40Z",
        "being_tried": False,
    }])  # fmt: skip


def test_what_is_tried_now(house, past, id_of):
    """Of a message that somebody works on, the steps that are due are being tried; others have their time."""
    first, again, later = (RelayToSmartHost(f"{name}@example.org") for name in ("pat", "lee", "kim"))
    came_in(past, id_of("robin"), first, to="pat@example.org", kind="unknown")
    past.tell()
    house.desk.queue = in_queue(StepState(first), StepState(again, 1, 1.0), StepState(later, 3, 9e9))
    for house.desk.queue.tried in (False, True):
        said, waiting = house.do("trace", TRACE), house.json("trace", TRACE)[-1]
        assert waiting["being_tried"] is house.desk.queue.tried
    assert [step["being_tried"] for step in waiting["steps"]] == [True, True, False]
    assert "It is being tried now." in said and "waits still" not in said
    assert "relay to pat@example.org: being tried now\n" in said
    assert "relay to lee@example.org: tried once, being tried again now\n" in said
    assert "relay to kim@example.org: tried 3 times, next at " in said


def test_a_held_message_without_a_story(house):
    """A message that only the queue knows of is shown with what the queue knows."""
    house.desk.queue = in_queue(StepState(RelayToSmartHost("pat@example.org")), held=True)
    assert "It is on hold in the queue" in house.do("trace", TRACE)


def test_words_of_strangers_stay_words(house, past, id_of):
    """A subject or a reply with control characters cannot speak to the terminal."""
    came_in(past, id_of("robin"), subject="\x1b[2JLunch\r\nMessage forged")
    attempt = Attempt((Outcome("failed", "5.0.0", "\x1b[31m"),), ("S: \x1b]0;x\x07",), "\x1b")
    past.journal.attempted(TRACE, "x", attempt, ("a@b",))
    past.tell()
    said = house.do("trace", TRACE)
    assert all(c.isprintable() or c == "\n" for c in said)
    assert json.loads(house.do("trace", TRACE, "--json"))[1]["subject"] == "\x1b[2JLunch\r\nMessage forged"


def test_events_of_every_kind_have_words(house, past, id_of):
    """Whatever the journal notes of a message, the story says it in a sentence, not as a row of facts."""
    chris = id_of("chris")
    journal = past.journal
    for to, outcome in (("a@b", "2.0.0"), ("c@d", "mx.example.net")):  # as it was noted once
        journal.history.note(TRACE, "performed", {"step": RelayToSmartHost(to), "outcome": outcome})
    journal.failed(TRACE, RelayToSmartHost("a@b"), "5.1.1", "Nobody.")
    journal.converted(TRACE, "Berlin", 2.9, ("song.mp3",))
    journal.converted(TRACE, "mailbox", 1.5, ())
    journal.contact_learned(TRACE, "l1", "added", "Pat")
    journal.receipt_sent(TRACE, f"{TRACE}-m0", "a@b")
    journal.administered(TRACE, "root", "hold")
    journal.undeliverable(TRACE, "nobody there", "undeliverablemessages@vm1.example.com")
    journal.bad_mail(TRACE, "nobody knows the sender")
    journal.shunted(TRACE, "ValueError: x")
    journal.mended(TRACE, client="192.0.2.7")
    journal.recoded(TRACE, client="192.0.2.8")
    journal.long_lines(TRACE, client="192.0.2.9")
    journal.sent_again(TRACE, xid=f"n1.{TRACE}", recipients=1)
    journal.read(TRACE, chris)
    journal.notified(TRACE, chris, "c@corp.example", "quota warning")
    for rule in Rule:
        journal.aged_out(TRACE, chris, rule.value)
    past.tell()
    said = house.do("trace", TRACE)
    for words in (
        "so undeliverablemessages@vm1.example.com gets it: nobody there",
        "Done: relay to a@b, 2.0.0.", "Done: relay to c@d, taken by mx.example.net.",
        "Failed: relay to a@b: 5.1.1 Nobody.", "Converted for Berlin: 2.9 s of audio.",
        "Converted from VPIM: 1.5 s of audio.",
        "left out: song.mp3", "The contact Pat at l1 was added by this message.", "A read receipt went to a@b",
        "root did this in the queue: hold.", "Kept as bad mail: nobody knows the sender",
        "Put aside, untouched, after an error nobody expected: ValueError: x", "Bare line ends were put right",
        "It is a notice to chris about the user's own mailbox (quota warning), sent to c@corp.example.",
        "It was marked as read in the mailbox of chris, where", "It was moved to Deleted Items of chris,",
        "It was removed from Deleted Items of chris,", "as a secure message that is old.",
        "Its recording was removed from the mailbox of chris,",
        "It came with binary octets from 192.0.2.8; they are kept in base64.",
        "It has lines of more than 998 octets, kept as 192.0.2.9 sent them",
        "The peer sent it again", "Read by chris.",
    ):  # fmt: skip
        assert words in said
