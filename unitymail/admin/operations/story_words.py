"""The story of a message in plain words: a paragraph for each thing that happened, with its reason.

Knows the events of the journal by name, and tells one it does not know by its facts. Refuses to know where the story
came from and how it is printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

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
from unitymail.admin.operations.story_way_in import WAY_IN
from unitymail.interfaces.history import Event, Story
from unitymail.mail.status import status_or_unknown


def paragraphs(story: Story, name_of: NameOf) -> Iterator[Paragraph]:
    """The story, oldest first. `name_of` gives the alias or name behind an id."""
    together: list[Event] = []
    for event in story.events:
        if together and not _goes_on(together[-1], event):
            yield _paragraph(story, together, name_of)
            together = []
        together.append(event)
    if together:
        yield _paragraph(story, together, name_of)


def _goes_on(before: Event, event: Event) -> bool:
    """What is told together: deliveries in a row, and the pieces of one long event."""
    same = (before.event, before.facts["trace"]) == (event.event, event.facts["trace"])
    return same and (event.event == "delivered" or bool(event.facts.get("continued")))


def _paragraph(story: Story, events: list[Event], name_of: NameOf) -> Paragraph:
    first = events[0]
    about = "" if first.facts["trace"] == story.trace else f"[{first.facts['trace']}] "
    paragraph = _TELLERS.get(first.event, _other)(events, name_of)
    return replace(paragraph, time=first.time, words=about + paragraph.words)


def _delivered(events: list[Event], name_of: NameOf) -> Paragraph:
    names = [name_of(event.facts["account"]) for event in events]
    if len(events) == 1:
        return told(f"Delivered into the mailbox of {names[0]}, for {events[0].facts['address']}.")
    return told(f"Delivered into {len(events)} mailboxes: {few(names)}.")


def _attempted(events: list[Event], name_of: NameOf) -> Paragraph:
    facts = events[0].facts
    outcomes = [one for event in events for one in event.facts.get("outcomes", ())]
    done = sum(one["outcome"] == "done" for one in outcomes)
    remote = f" ({facts['remote']})" if facts.get("remote") else ""
    if facts.get("hop_down"):
        words = f"Tried {facts['hop']}{remote}, which could not be used."
    else:
        what = f"Sent to {facts['hop']}{remote}: taken" if done else f"Offered to {facts['hop']}{remote}: not taken"
        words = f"{what} for {_of(done, len(outcomes))}."
    details = [_outcome(one) for one in outcomes[:MOST_SHOWN]]
    if len(outcomes) > MOST_SHOWN:
        details.append(f"and {len(outcomes) - MOST_SHOWN} recipients more")
    if facts.get("sent_dot"):
        details.append("the connection ended after the final dot and before the reply: it may have been taken")
    bad = done < len(outcomes) or bool(facts.get("hop_down"))
    return told(words, *details, dialogue=tuple(facts.get("dialogue", ())), bad=bad)


def _of(done: int, all: int) -> str:
    """How many of all; of none, all."""
    return "its recipient" if all == 1 else f"{done} of {all} recipients" if done else f"any of {all} recipients"


def _outcome(one: Facts) -> str:
    said = f" ({one['diagnostic']})" if one.get("diagnostic") else ""
    words = {"done": "taken", "try-again": "not now", "failed": "failed", "later": "later"}[one["outcome"]]
    return f"{one['to']}: {words}, {one.get('status', '')} {one.get('why', '')}".rstrip(" ,") + said


def _postponed(events: list[Event], name_of: NameOf) -> Paragraph:
    facts = events[0].facts
    return told(f"Not done yet: {_step_of(facts, name_of)}: {facts['why']}",
                 f"it will be tried again at {moment_here(facts.get('again', ''))}", bad=True)  # fmt: skip


def _failed(events: list[Event], name_of: NameOf) -> Paragraph:
    facts = events[0].facts
    return told(f"Failed: {_step_of(facts, name_of)}: {facts['status']} {facts['why']}", bad=True)


def _performed(events: list[Event], name_of: NameOf) -> Paragraph:
    """In older histories; now the attempt tells it. The outcome is a status, or who took it."""
    facts = events[0].facts
    outcome = facts.get("outcome", "2.0.0")
    if outcome != status_or_unknown(outcome):
        outcome = f"taken by {outcome}"
    return told(f"Done: {_step_of(facts, name_of)}, {outcome}.")


def _step_of(facts: Facts, name_of: NameOf) -> str:
    """The step that an event is about; its own facts stand beside the event's."""
    if "step" not in facts:
        return "a step"
    try:
        return step_in_words(facts, name_of)
    except KeyError:
        return str(facts["step"])


def _sentence(template: str, *, bad: bool = False) -> Teller:
    """An event whose facts fill one sentence; ids of accounts and locations become names."""

    def tell(events: list[Event], name_of: NameOf) -> Paragraph:
        facts: dict[str, Any] = {"of": ""} | events[0].facts
        for key in ("account", "location", "contact"):
            if key in facts:
                facts[key] = name_of(facts[key])
        try:
            return told(template.format(**facts), bad=bad)
        except KeyError:
            return _other(events, name_of)

    return tell


def _converted(events: list[Event], name_of: NameOf) -> Paragraph:
    facts = events[0].facts
    details = [f"left out: {part}" for part in facts.get("removed", ())]
    where = "from VPIM" if facts.get("to") == "mailbox" else f"for {facts.get('to', '?')}"
    return told(f"Converted {where}: {facts.get('seconds', 0)} s of audio.", *details)


def _waiting(events: list[Event], name_of: NameOf) -> Paragraph:
    facts = events[0].facts
    details = []
    for step in facts["steps"]:
        last = f"; last: {step['last']}" if step.get("last") else ""
        details.append(f"{_step_of(step, name_of)}: {_tries(step, held=facts['held'])}{last}")
    if facts["held"]:
        words = "It is on hold in the queue; `unitymail queue release` lets it go."
    else:
        words = "It is being tried now." if facts["being_tried"] else "It waits still."
    return told(words, *details)


def _tries(step: Facts, *, held: bool) -> str:
    tries = {0: "not tried yet", 1: "tried once"}.get(step["attempts"], f"tried {step['attempts']} times")
    if step["being_tried"]:
        return f"{tries}, being tried again now" if step["attempts"] else "being tried now"
    return f"{tries}, next at {moment_here(step['next_at'])}" if step["next_at"] and not held else tries


def _other(events: list[Event], name_of: NameOf) -> Paragraph:
    event = events[0]
    facts = ", ".join(f"{name} {value}" for name, value in event.facts.items() if name != "trace")
    return told(f"{event.event.replace('-', ' ').capitalize()}: {facts}")


def _aged(events: list[Event], name_of: NameOf) -> Paragraph:
    facts = events[0].facts
    whose = name_of(facts["account"])
    by_rule = {
        "new": f"It was marked as read in the mailbox of {whose}, where nobody had read it for too long.",
        "saved": f"It was moved to Deleted Items of {whose}, because it was old.",
        "deleted": f"It was removed from Deleted Items of {whose}, because it had been there for too long.",
        "touched_secure": f"It was removed from the mailbox of {whose}, as a secure message that is old.",
        "secure": f"It was removed from the mailbox of {whose}, as a secure message that is old.",
        "recording": f"Its recording was removed from the mailbox of {whose}, because it was old.",
    }
    return told(by_rule.get(facts["rule"], f"It aged in the mailbox of {whose}."))


_TELLERS: dict[str, Teller] = {
    **WAY_IN,
    "delivered": _delivered,
    "attempted": _attempted,
    "postponed": _postponed,
    "failed": _failed,
    "performed": _performed,
    "converted": _converted,
    "waiting": _waiting,
    "reported": _sentence("A report went to {to} (recipients that it tells of: {fates}); it is {report}."),
    "undeliverable": _sentence("It can neither be delivered nor returned, so {keeper} gets it: {why}", bad=True),
    "bad-mail": _sentence("Kept as bad mail: {reason}", bad=True),
    "shunted": _sentence("Put aside, untouched, after an error nobody expected: {why}", bad=True),
    "read": _sentence("Read by {account}."),
    "aged": _aged,
    "notified": _sentence("It is a notice to {account} about the user's own mailbox ({about}), sent to {to}."),
    "receipt-sent": _sentence("A read receipt went to {to}; it is {receipt}."),
    "administered": _sentence("{who} did this in the queue: {what}."),
    "contact-learned": _sentence("The contact {contact} at {location} was {what} by this message."),
    "mended": _sentence("Bare line ends were put right: {client} may send such, as a legacy sender."),
    "recoded": _sentence("It came with binary octets from {client}; they are kept in base64."),
    "long-lines": _sentence(
        "It has lines of more than 998 octets, kept as {client} sent them; some systems may refuse or break such."
    ),
    "sent-again": _sentence("The peer sent it again as {xid}; it was here already, and nothing was stored."),
}
