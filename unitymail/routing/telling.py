"""Steps and decisions told as facts that JSON can hold, in the words of the operator's interface.

Knows the names that scripts rely on: `deliver`, `relay-to-smart-host`, `report` and so on. Refuses to know who asks,
and looks nothing up: objects stay ids here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, get_args

from unitymail.mail.fate import Fate
from unitymail.routing.decision import Decision
from unitymail.routing.steps import Report, Step

Facts = dict[str, Any]
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


_SHAPES: dict[type[Any], tuple[str, tuple[str, ...]]] = {
    kind: (_WORD.sub("-", kind.__name__).lower(), tuple(field.name for field in fields(kind)))
    for kind in get_args(Step)
}


def name_of(step: Step) -> str:
    """`RelayToSmartHost` is `relay-to-smart-host`."""
    return _SHAPES[type(step)][0]


def step_facts(step: Step) -> list[Facts]:
    """One object for the step; for a report one for each recipient it tells of. What is empty is left out."""
    if isinstance(step, Report):
        return [_fate_facts(step.to, fate) for fate in step.fates]
    name, names = _SHAPES[type(step)]
    facts: Facts = {"step": name}
    for field in names:
        value = getattr(step, field)
        if value:
            facts[field] = value
    return [facts]


def _fate_facts(to: str, fate: Fate) -> Facts:
    facts = {"step": "report", "to": to, "about": fate.address, "action": fate.action, "status": fate.status}
    return facts | {"cause": fate.cause}


def steps_facts(steps: Iterable[Step]) -> list[Facts]:
    """The steps in order."""
    return [facts for step in steps for facts in step_facts(step)]


def message_facts(decision: Decision) -> Facts:
    """What the message is."""
    message = decision.message
    return {
        "category": message.category.value,
        "rule": message.rule,
        "sensitivity": message.sensitivity.value,
        "secure": decision.secure,
        "importance": message.importance.value,
        "malformed": message.malformed,
    }


def sender_facts(decision: Decision) -> Facts:
    """Who sent it: the address that was looked for, the id of its object, and what that means for the message."""
    sender = decision.sender
    verdict = "reject" if decision.refusal is not None else sender.verdict
    return {"address": sender.address, "matched": sender.matched, "kind": sender.kind, "verdict": verdict}
