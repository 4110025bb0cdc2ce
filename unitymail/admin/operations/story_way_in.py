"""How a message came in, in words: received, decided, or refused. Refuses to know what became of it then."""

from __future__ import annotations

from collections.abc import Iterator

from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.paragraph import (
    MOST_SHOWN,
    NameOf,
    Paragraph,
    Teller,
    few,
    moment_here,
    step_in_words,
    told,
)
from unitymail.interfaces.history import Event


def _received(events: list[Event], name_of: NameOf) -> Paragraph:
    facts = events[0].facts
    client = facts.get("client", "somewhere") + (f" ({facts['helo']})" if facts.get("helo") else "")
    who = f", signed in as {name_of(facts['user'])}" if facts.get("user") else _trust(facts, name_of)
    tls = f", {facts['tls']}" if facts.get("tls") else ", without TLS" if "helo" in facts else ""
    several = isinstance(facts.get("recipients"), list)
    recipients = [address for event in events for address in event.facts.get("recipients", ())] if several else []
    words = f"Received from {client} at the {facts.get('door', '?')} door{who}{tls}: {facts.get('size', '?')} octets."
    details = [f"from {facts.get('sender', '<>')} to {few(recipients) if recipients else 'its recipients'}"]
    if facts.get("message_id"):
        details.append(f"Message-ID {facts['message_id']}")
    if facts.get("xid"):
        details.append(f"the peer calls it {facts['xid']}")
    if facts.get("notify"):
        details.append(f"the sender asked to hear of: {facts['notify']}")
    if facts.get("hold_until"):
        details.append(f"to be held until {moment_here(facts['hold_until'])}, as the sender asked")
    if facts.get("deliver_by"):
        details.append(f"to be delivered by {moment_here(facts['deliver_by'])}, as the sender asked")
    return told(words, *details)


def _trust(facts: Facts, name_of: NameOf) -> str:
    words = {"trusted": "a trusted address", "stranger": "a stranger", "smart-host": "the smart host",
             "peer": f"the peer {name_of(facts.get('peer', ''))}"}  # fmt: skip
    found = words.get(facts.get("trust", ""), "")
    return f", {found}" if found else ""


def _decided(events: list[Event], name_of: NameOf) -> Paragraph:
    facts = events[0].facts
    sender = facts.get("sender", {})
    words = f"Decided: {facts.get('category', '?')} by rule {facts.get('rule', '?')}{_marks(facts)}."
    details = [f"subject: {facts['subject']}"] if facts.get("subject") else []
    if sender:
        who = f" is {name_of(sender['matched'])}" if sender.get("matched") else ""
        details.append(f"sender {sender.get('address') or '<>'}{who} ({sender.get('kind')}): {sender.get('verdict')}")
    if facts.get("refusal"):
        details.append(f"refused: {facts['refusal']}")
    recipients = [one for event in events for one in event.facts.get("recipients", ())]
    for recipient in recipients[:MOST_SHOWN]:
        details.extend(_recipient(recipient, name_of))
    if len(recipients) > MOST_SHOWN:
        details.append(f"and {len(recipients) - MOST_SHOWN} recipients more")
    details += [step_in_words(step, name_of) for step in facts.get("steps", ())]
    return told(words, *details, bad=sender.get("verdict") == "bad-mail")


def _marks(facts: Facts) -> str:
    """What is not so for nearly every message."""
    marks = [facts[name] for name in ("sensitivity",) if facts.get(name, "normal") != "normal"]
    marks += ["secure"] if facts.get("secure") else []
    marks += [f"{facts['importance']} importance"] if facts.get("importance", "normal") != "normal" else []
    marks += ["malformed"] if facts.get("malformed") else []
    return "".join(f", {mark}" for mark in marks)


def _recipient(recipient: Facts, name_of: NameOf) -> Iterator[str]:
    matched = f" {name_of(recipient['matched'])}" if recipient.get("matched") else ""
    yield f"to {recipient['address']}: {recipient['kind']}{matched}; {recipient['reason']}"
    steps = recipient["steps"]
    for step in steps[:MOST_SHOWN]:
        yield "  " + step_in_words(step, name_of)
    if len(steps) > MOST_SHOWN:
        yield f"  and {len(steps) - MOST_SHOWN + recipient.get('more_steps', 0)} steps more"


def _refused(events: list[Event], name_of: NameOf) -> Paragraph:
    facts = events[0].facts
    to = f" to {few(facts['recipients'])}" if facts.get("recipients") else ""
    return told(
        f"Refused, from {facts.get('client', 'somewhere')} at the {facts.get('door', '?')} door: "
        f"{facts.get('code', '')} {facts.get('status', '')} {facts.get('text', '')}",
        f"from {facts.get('sender', '<>')}{to}; nothing was kept", bad=True,
    )  # fmt: skip


WAY_IN: dict[str, Teller] = {"received": _received, "decided": _decided, "refused": _refused}
