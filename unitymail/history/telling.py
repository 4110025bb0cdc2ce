"""From what the journal notes to what is kept: facts that JSON can hold, and the words that find the message.

Knows which values of the middle a fact may be (an envelope, an origin, a decision, an attempt, a step). Runs in the
history's own thread, since a message to thousands takes a while to tell. What says nothing is left out: "", None, no
members, and in a decision what is so for nearly every message (`USUAL`, which `stories` adds again).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unitymail.history import words
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import Outcome
from unitymail.mail.envelope import Envelope
from unitymail.mail.message import Importance, Sensitivity
from unitymail.routing.decision import Decision, Origin, RecipientDecision
from unitymail.routing.steps import BadMail, Report, Step
from unitymail.routing.telling import sender_facts, step_facts, steps_facts

Facts = dict[str, Any]
AT_ONCE = 200
"""Recipients in one event; more become several events, all but the first marked `continued`, none of them long."""
MOST_STEPS = 100
"""Steps told of one recipient: a list may have a hundred thousand members."""
NOTHING_ASKED = {None}
USUAL = {"sensitivity": "normal", "secure": False, "importance": "normal", "malformed": False}


def told(event: str, facts: Facts, found_by: set[int]) -> list[Facts]:
    """The event's facts, in several pieces where they are many. The words that find the message go to `found_by`."""
    teller = _TELLERS.get(event)
    return [_plain(facts)] if teller is None else teller(facts, found_by)


def _plain(facts: Facts) -> Facts:
    if "step" in facts:
        rest = {name: value for name, value in facts.items() if name != "step"}
        facts = {**next(iter(step_facts(facts["step"])), {}), **rest}
    return _but_empty(facts)


def _but_empty(facts: Facts) -> Facts:
    """Without what says nothing; a false or a 0 says something."""
    return {name: value for name, value in facts.items() if value or value == 0}


def _received(facts: Facts, found_by: set[int]) -> list[Facts]:
    whole = _but_empty(facts)
    envelope: Envelope | None = whole.pop("envelope", None)
    origin: Origin | None = whole.pop("origin", None)
    sender: str = whole.setdefault("sender", "<>")
    if sender != "<>":
        found_by.add(words.from_address(sender))
    if "message_id" in whole:
        found_by.add(words.message_id(whole["message_id"]))
    if origin is not None:
        _add_origin(whole, origin, found_by)
    if envelope is None:
        return [whole]
    _add_envelope(whole, envelope)
    addresses = [recipient.address for recipient in envelope.recipients]
    found_by.update(map(words.to_address, addresses))
    return _in_pieces(whole, "recipients", addresses)


def _add_origin(whole: Facts, origin: Origin, found_by: set[int]) -> None:
    whole["helo"], whole["protocol"], whole["trust"] = origin.helo, origin.protocol, origin.trust
    if origin.tls:
        whole["tls"] = origin.tls
    if origin.peer:
        whole["peer"] = origin.peer
    if origin.told is not None:
        whole["xid"], whole["trace_there"] = origin.told.xid, origin.told.trace
        found_by.add(words.elsewhere(origin.told.trace))


def _add_envelope(whole: Facts, envelope: Envelope) -> None:
    for name in ("envid", "ret", "hold_until", "deliver_by", "require_tls"):
        if value := getattr(envelope, name):
            whole[name] = value
    asked = {recipient.notify for recipient in envelope.recipients}
    if asked != NOTHING_ASKED:
        whole["notify"] = " or ".join(sorted(",".join(sorted(one)) for one in asked if one is not None))


def _decided(facts: Facts, found_by: set[int]) -> list[Facts]:
    decision: Decision = facts["decision"]
    message = decision.message
    whole: Facts = {"category": message.category.value, "rule": message.rule}
    if message.subject:
        whole["subject"] = message.subject
    if message.message_id:
        whole["message_id"] = message.message_id
        found_by.add(words.message_id(message.message_id))
    _add_the_unusual(whole, decision)
    found_by.update(map(words.from_address, message.header_from[:AT_ONCE]))
    whole["sender"] = sender_facts(decision)
    if not decision.recipients:
        return [{**whole, "steps": steps_facts(decision.steps[:MOST_STEPS])}]
    return _in_pieces(whole, "recipients", [_recipient(one, found_by) for one in decision.recipients])


def _add_the_unusual(whole: Facts, decision: Decision) -> None:
    message = decision.message
    if message.sensitivity is not Sensitivity.NORMAL:
        whole["sensitivity"] = message.sensitivity.value
    if decision.secure:
        whole["secure"] = True
    if message.importance is not Importance.NORMAL:
        whole["importance"] = message.importance.value
    if message.malformed:
        whole["malformed"] = True
    if message.header_from and message.header_from != (decision.sender.address,):
        whole["from"] = list(message.header_from[:AT_ONCE])
    if decision.refusal is not None:
        reply = decision.refusal
        whole["refusal"] = f"{reply.code} {reply.enhanced} {reply.text}"


def _recipient(recipient: RecipientDecision, found_by: set[int]) -> Facts:
    found_by.add(words.to_address(recipient.address))
    steps = recipient.steps
    if len(steps) > 1 or recipient.kind == "list":
        for step in steps:
            if not isinstance(step, Report | BadMail):
                found_by.update(words.to_address(name) for name in _reached(step) if name)
    whole: Facts = {
        "address": recipient.address,
        "kind": recipient.kind,
        "matched": recipient.matched,
        "steps": steps_facts(steps[:MOST_STEPS]),
        "reason": recipient.reason,
    }
    if len(steps) > MOST_STEPS:
        whole["more_steps"] = len(steps) - MOST_STEPS
    return whole


def _reached(step: Step) -> tuple[str, str]:
    """Who a step is for, beside the recipient as the sender wrote it: how a member of a list is found."""
    return getattr(step, "account", ""), getattr(step, "to", "")


def _attempted(facts: Facts, found_by: set[int]) -> list[Facts]:
    attempt: Attempt = facts["attempt"]
    whole: Facts = {"hop": facts["hop"]}
    if attempt.remote:
        whole["remote"] = attempt.remote
    if attempt.hop_down:
        whole["hop_down"] = True
    if attempt.sent_dot:
        whole["sent_dot"] = True
    if dialogue := list(attempt.dialogue):
        whole["dialogue"] = dialogue
    pairs = zip(facts["recipients"], attempt.outcomes, strict=False)
    return _in_pieces(whole, "outcomes", [_outcome(*pair) for pair in pairs])


def _outcome(address: str, outcome: Outcome) -> Facts:
    whole: Facts = {"to": address, "outcome": outcome.kind}
    if outcome.status:
        whole["status"] = outcome.status
    if outcome.why:
        whole["why"] = outcome.why
    if outcome.diagnostic:
        whole["diagnostic"] = outcome.diagnostic
    if outcome.remote_mta:
        whole["remote_mta"] = outcome.remote_mta
    return whole


def _sent_again(facts: Facts, found_by: set[int]) -> list[Facts]:
    """Told with the message that the peer means: both carry its name there."""
    found_by.add(words.elsewhere(facts["xid"].partition(".")[2]))
    return [facts]


def _refused(facts: Facts, found_by: set[int]) -> list[Facts]:
    """A refusal after DATA: found by its envelope, since nothing else of the message was kept."""
    whole = _but_empty(facts)
    envelope: Envelope | None = whole.pop("envelope", None)
    if envelope is not None:
        addresses = [recipient.address for recipient in envelope.recipients]
        whole |= {"sender": envelope.sender or "<>", "recipients": addresses[:AT_ONCE]}
        if envelope.sender:
            found_by.add(words.from_address(envelope.sender))
        found_by.update(map(words.to_address, addresses))
    return [whole]


def _in_pieces(first: Facts, name: str, many: list[Any]) -> list[Facts]:
    """The facts with `many` under `name`, in as many events as that takes."""
    first[name] = many[:AT_ONCE]
    if len(many) <= AT_ONCE:
        return [first]
    return [first] + [
        {"continued": True, name: many[start : start + AT_ONCE]} for start in range(AT_ONCE, len(many), AT_ONCE)
    ]


_TELLERS: dict[str, Callable[[Facts, set[int]], list[Facts]]] = {
    "received": _received, "decided": _decided, "attempted": _attempted, "refused": _refused,
    "sent-again": _sent_again,
}
