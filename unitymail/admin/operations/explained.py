"""The answer of `explain` as the object that operator.md promises to scripts.

Knows its keys and the names behind ids; refuses to decide anything.
"""

from __future__ import annotations

from unitymail.admin.operations.explain import Answer
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.step_words import named
from unitymail.interfaces.book import IBook
from unitymail.mail.reply import Reply
from unitymail.people.class_of_service import RequireSecure
from unitymail.routing.decision import Decision, RecipientDecision
from unitymail.routing.hops import next_hop
from unitymail.routing.next_hop import NextHop
from unitymail.routing.resolve import resolve
from unitymail.routing.situation import Failure
from unitymail.routing.steps import Report, Step
from unitymail.routing.telling import message_facts, sender_facts, step_facts


def as_facts(answer: Answer, book: IBook) -> Facts:
    """`secure` is a mark: of the header, or of a class that marks everything. `secure_in_effect` is what gates ask."""
    decision = answer.decision
    facts = message_facts(decision) | {
        "secure": decision.message.secure or _always_secure(decision, book),
        "secure_in_effect": decision.secure,
        "subject": decision.message.subject,
        "sender": _sender(decision, book),
        "recipients": _recipients(answer, book),
    }
    if decision.refusal is not None:
        facts["refusal"] = _reply(decision.refusal)
    return facts


def name_of(id: str, book: IBook) -> str:
    """The alias or name behind an id; the id itself when nothing is behind it any more."""
    if not id:
        return ""
    entry = book.entry(id)
    if entry is not None:
        return entry.alias
    location = book.location(id)
    return location.name if location is not None else id


def _always_secure(decision: Decision, book: IBook) -> bool:
    user = book.user(decision.sender.matched)
    cos = book.class_of_service(user.cos) if user is not None else None
    return decision.secure and cos is not None and cos.secure is RequireSecure.ALWAYS


def _sender(decision: Decision, book: IBook) -> Facts:
    facts = sender_facts(decision)
    return facts | {"matched": name_of(facts["matched"], book), "matched_id": facts["matched"]}


def _recipients(answer: Answer, book: IBook) -> list[Facts]:
    """In the order asked for."""
    found = [_recipient(recipient, book) for recipient in answer.decision.recipients]
    found += [_turned_away(address, reply, book) for address, reply in answer.turned_away]
    order = {recipient.address: n for n, recipient in enumerate(answer.question.envelope.recipients)}
    return sorted(found, key=lambda facts: order[facts["address"]])


def _recipient(recipient: RecipientDecision, book: IBook) -> Facts:
    return {
        "address": recipient.address,
        "matched": name_of(recipient.matched, book),
        "matched_id": recipient.matched,
        "kind": recipient.kind,
        "steps": [facts for step in recipient.steps for facts in steps(step, book)],
        "reason": recipient.reason,
    }


def steps(step: Step, book: IBook) -> list[Facts]:
    """The step with names for ids, and where it goes next; a report has one object for each recipient it is about."""
    found = step_facts(step)
    if isinstance(step, Report):
        return found
    return [named(found[0], lambda id: name_of(id, book)) | _where(step, book)]


def _where(step: Step, book: IBook) -> Facts:
    hop = next_hop(step, book)
    if isinstance(hop, NextHop):
        return {"next_hop": in_short(hop), "tls": hop.tls}
    return {"status": hop.status, "cause": hop.cause} if isinstance(hop, Failure) else {}


def in_short(hop: NextHop) -> str:
    """`smart-host mail.example.com:25`"""
    host = f"[{hop.host}]" if ":" in hop.host else hop.host
    return f"{hop.key.partition(' ')[0]} {'mx:' if hop.mx else ''}{host}:{hop.port}"


def _turned_away(address: str, reply: Reply, book: IBook) -> Facts:
    found = resolve(address, book)
    id = found.entry.id if found.entry is not None else ""
    return {
        "address": address,
        "matched": name_of(id, book),
        "matched_id": id,
        "kind": "unknown" if found.kind == "postmaster" else found.kind,
        "steps": [],
        "reason": f"refused at RCPT: {reply.code} {reply.enhanced} {reply.text}",
        "refusal": _reply(reply),
    }


def _reply(reply: Reply) -> Facts:
    return {"code": reply.code, "status": reply.enhanced, "text": reply.text}
