"""The answer of `unitymail explain` in words for people. Knows no rule and looks nothing up but names."""

from __future__ import annotations

from collections.abc import Iterator

import click

from unitymail.admin.cli import output
from unitymail.admin.operations.evidence import why_category, why_malformed, why_marked, why_secure_in_effect
from unitymail.admin.operations.explain import Answer
from unitymail.admin.operations.explained import name_of
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.step_words import step_words
from unitymail.interfaces.book import IBook
from unitymail.mail.part import Octets
from unitymail.routing.decision import Origin

SENDERS = {
    "user": "a user", "vpim": "at a VPIM location", "peer": "somebody at a peer", "outside": "somebody outside",
    "null": "the null sender", "unknown": "nobody known",
}


def handed_in(origin: Origin, book: IBook) -> str:
    """Who brings the message."""
    if origin.user:
        return f"a mail program signed in as {name_of(origin.user, book)} (submission)"
    return {
        "trusted": "a trusted phone system or server, without signing in",
        "stranger": "a stranger, without signing in",
        "smart-host": "the smart host",
        "peer": f"the peer {name_of(origin.peer, book)}",
    }[origin.trust]


def in_words(answer: Answer, facts: Facts, octets: Octets, book: IBook) -> Iterator[str]:
    """Lines; `facts` are what scripts get of the same answer."""
    yield from _message(answer, facts, octets, book)
    yield from _sender(facts["sender"])
    if "refusal" in facts:
        yield from _block("Refused", _reply(facts["refusal"]) + "; nothing is kept.")
    for recipient in facts["recipients"]:
        yield from _recipient(recipient)
    if answer.decision.steps and answer.decision.report is None:
        yield from _block("Report", "none.")


def _message(answer: Answer, facts: Facts, octets: Octets, book: IBook) -> Iterator[str]:
    message, decision = answer.decision.message, answer.decision
    user = book.user(decision.sender.matched)
    cos = book.class_of_service(user.cos) if user is not None else None
    marks = ", ".join(why_marked(octets, message, book.site))
    secure = "secure" if facts["secure"] else "not marked secure"
    if facts["secure_in_effect"] and (why := why_secure_in_effect(message, cos)):
        secure += f", handled as secure: {why}"
    yield from _block(
        "Message",
        f"{facts['category']}, by rule {facts['rule']}: {why_category(octets, message)}.",
        f"{facts['sensitivity']} sensitivity, {secure}, {facts['importance']} importance"
        + (f" ({marks})." if marks else "."),
        *([f"malformed: {why_malformed(octets, message)}."] if facts["malformed"] else []),
        *([f"subject: {facts['subject']}"] if facts["subject"] else []),
    )


def _sender(sender: Facts) -> Iterator[str]:
    shown = sender["address"] or "<>"
    who = f"{SENDERS[sender['kind']]}{', ' + sender['matched'] if sender['matched'] else ''}"
    verdicts = {"accept": "accepted", "bad-mail": "goes to bad mail", "reject": "rejected"}
    yield from _block("Sender", f"{shown} is {who}: {verdicts[sender['verdict']]}.")


def _recipient(recipient: Facts) -> Iterator[str]:
    matched = f" {recipient['matched']}" if recipient["matched"] else ""
    lines = [f"{recipient['kind']}{matched}: {recipient['reason']}."]
    lines += [f"{n}. {step_words(step)}" for n, step in enumerate(recipient["steps"], 1)]
    yield from _block(f"To {recipient['address']}", *lines)


def _reply(reply: Facts) -> str:
    return f"{reply['code']} {reply['status']} {reply['text']}"


def _block(title: str, *lines: str) -> Iterator[str]:
    yield click.style(output.words(title), bold=True)
    for line in lines:
        for piece in output.broken(output.words(line), 2):
            yield f"  {piece}"
    yield ""
