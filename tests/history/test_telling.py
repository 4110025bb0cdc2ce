"""What is kept of an event, and what the message is found by."""

import json

from tests.history.letters import CHRIS, ROBIN, decision, received, told_by_peer
from unitymail.history import words
from unitymail.history.telling import AT_ONCE, MOST_STEPS, told
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import DONE, Outcome
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import Deliver, Fate, HandOver, Report


def tell(event, facts):
    found_by = set()
    return list(told(event, facts, found_by)), found_by


def test_received():
    """Who from where over what for whom; found by Message-ID, sender and each recipient."""
    facts = received()
    before = dict(facts)
    (kept,), found_by = tell("received", facts)
    assert kept == {
        "door": "submission", "client": "192.0.2.7", "sender": ROBIN, "size": 2_000, "category": "email", "rule": "R7",
        "user": "u-robin", "message_id": "<m1@example.com>", "helo": "pc.example.com", "protocol": "ESMTP",
        "trust": "authenticated", "tls": "TLSv1.3", "recipients": [CHRIS],
    }  # fmt: skip
    assert found_by == {words.from_address(ROBIN), words.to_address(CHRIS), words.message_id("<m1@example.com>")}
    assert facts == before, "a batch that fails is told again"


def test_found_by_who_wrote_it():
    """The header From finds a message too: a bounce address in the envelope says little to people."""
    facts = {"decision": decision(sender="writer@example.com")}
    _, found_by = tell("decided", facts)
    assert words.from_address("writer@example.com") in found_by


def test_the_null_sender():
    """It is shown as <> and is nobody to be found by."""
    (kept,), found_by = tell("received", received(sender=""))
    assert kept["sender"] == "<>"
    assert words.from_address("") not in found_by and words.from_address("<>") not in found_by


def test_what_the_envelope_asked_for():
    """Future release, deliver-by, NOTIFY and ENVID are part of the story."""
    recipient = Recipient(CHRIS, notify=frozenset({"SUCCESS", "DELAY"}))
    envelope = Envelope(ROBIN, (recipient,), envid="e1", ret="HDRS", hold_until=5.0, deliver_by=9.0, require_tls=True)
    (kept,), _ = tell("received", {"sender": ROBIN, "envelope": envelope})
    assert kept == {
        "sender": ROBIN, "envid": "e1", "ret": "HDRS", "hold_until": 5.0, "deliver_by": 9.0, "require_tls": True,
        "notify": "DELAY,SUCCESS", "recipients": [CHRIS],
    }  # fmt: skip


def test_from_a_peer():
    """Its name there is kept, and the message is found by it."""
    (kept,), found_by = tell("received", received(came_from=told_by_peer("abc")))
    assert (kept["xid"], kept["trace_there"], kept["peer"]) == ("n1.abc", "abc", "l-vm2")
    assert words.elsewhere("abc") in found_by


def test_a_journal_that_tells_less():
    """Without envelope and origin the event is kept with what there is."""
    (kept,), _ = tell("received", {"sender": "", "size": 0, "user": "", "recipients": 3})
    assert kept == {"sender": "<>", "size": 0, "recipients": 3}


def test_decided():
    """Steps and reasons by recipient; what is so for nearly every message is left out."""
    (kept,), _ = tell("decided", {"decision": decision()})
    assert kept == {
        "category": "email", "rule": "R7", "subject": "Lunch", "message_id": "<m1@example.com>",
        "sender": {"address": ROBIN, "matched": "u-robin", "kind": "user", "verdict": "accept"},
        "recipients": [{
            "address": CHRIS, "kind": "user", "matched": "u-chris", "reason": "so it is",
            "steps": [{"step": "deliver", "account": "u-chris", "to": CHRIS}],
        }],
    }  # fmt: skip


def test_many_recipients_are_several_events():
    """No piece is long; all but the first say that they go on."""
    many = [f"u{n}@example.com" for n in range(AT_ONCE * 2 + 1)]
    for event, facts in (("received", received(many)), ("decided", {"decision": decision(many)})):
        pieces, found_by = tell(event, facts)
        assert [len(piece["recipients"]) for piece in pieces] == [AT_ONCE, AT_ONCE, 1]
        assert [piece.get("continued", False) for piece in pieces] == [False, True, True]
        assert {words.to_address(address) for address in many} <= found_by


def test_a_long_list_is_cut_but_found():
    """Of a list's steps the first are told, and every member finds the message."""
    steps = tuple(Deliver(f"u{n}", "staff@x") for n in range(MOST_STEPS + 5))
    (kept,), found_by = tell("decided", {"decision": decision(["staff@x"], steps=steps, kind="list")})
    assert (len(kept["recipients"][0]["steps"]), kept["recipients"][0]["more_steps"]) == (MOST_STEPS, 5)
    assert words.to_address(f"u{MOST_STEPS + 4}") in found_by


def test_a_member_elsewhere_is_found():
    """Through a list, by the address it goes on to."""
    _, found_by = tell("decided", {"decision": decision(["staff@x"], steps=(HandOver("l1", "sam@y"),), kind="list")})
    assert words.to_address("sam@y") in found_by


def test_a_report_does_not_make_the_sender_a_recipient():
    """Who is told of a failure did not get the message."""
    steps = (Deliver("u-chris", CHRIS), Report(ROBIN, (Fate("x@y", "failed", "5.1.1", "Nobody."),)))
    _, found_by = tell("decided", {"decision": decision(steps=steps)})
    assert words.to_address(ROBIN) not in found_by


def test_attempted():
    """Outcome by recipient, with the dialogue in the first piece only."""
    outcomes = (DONE, Outcome("failed", "5.1.1", "Nobody.", "550 no"))
    attempt = Attempt(outcomes, ("C: QUIT",), "mx.example.net", sent_dot=True)
    (kept,), _ = tell("attempted", {"hop": "the smart host", "attempt": attempt, "recipients": ("a@b", "c@d")})
    assert kept == {
        "hop": "the smart host", "remote": "mx.example.net", "sent_dot": True, "dialogue": ["C: QUIT"],
        "outcomes": [
            {"to": "a@b", "outcome": "done", "status": "2.0.0"},
            {"to": "c@d", "outcome": "failed", "status": "5.1.1", "why": "Nobody.", "diagnostic": "550 no"},
        ],
    }  # fmt: skip
    many = AT_ONCE + 1
    attempt = Attempt((DONE,) * many, ("C: QUIT",), hop_down=True)
    pieces, _ = tell("attempted", {"hop": "x", "attempt": attempt, "recipients": ("a@b",) * many})
    assert [len(piece["outcomes"]) for piece in pieces] == [AT_ONCE, 1]
    assert "dialogue" not in pieces[1] and pieces[0]["hop_down"] is True


def test_refused():
    """Found by its envelope."""
    envelope = Envelope("", (Recipient(CHRIS),))
    (kept,), found_by = tell("refused", {"code": 552, "text": "full", "envelope": envelope})
    assert kept == {"code": 552, "text": "full", "sender": "<>", "recipients": [CHRIS]}
    assert found_by == {words.to_address(CHRIS)}


def test_a_step_is_told_by_its_facts():
    """Beside the facts of the event itself, whose own words win."""
    (kept,), _ = tell("failed", {"step": HandOver("l1", "a@b"), "status": "5.0.0", "why": "", "more": None})
    assert kept == {"step": "hand-over", "peer": "l1", "to": "a@b", "status": "5.0.0"}


def test_all_of_it_is_json():
    """Whatever is kept can be written as JSON without help."""
    for event, facts in (("received", received()), ("decided", {"decision": decision()})):
        json.dumps(tell(event, facts)[0])
