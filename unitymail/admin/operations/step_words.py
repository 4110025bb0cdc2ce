"""A step in words for people, from its facts: what `explain` plans and what `trace` remembers read alike."""

from __future__ import annotations

from collections.abc import Callable

from unitymail.admin.operations.outcome import Facts

NAMED = (("account", "user"), ("contact", "contact"), ("location", "location"), ("peer", "peer"))


def named(facts: Facts, name_of: Callable[[str], str]) -> Facts:
    """The facts of a step with names where there were ids; the id of an account stays besides its user's alias."""
    return facts | {shown: name_of(facts[key]) for key, shown in NAMED if key in facts}


def step_words(step: Facts) -> str:
    """`relay to pat@example.org, through smart-host mail.example.com:25 (TLS opportunistic)`"""
    match step["step"]:
        case "deliver":
            words = f"deliver into the mailbox of {step['user']}" + (
                ", converted from VPIM" if step.get("from_vpim") else ""
            )
        case "convert":
            words = f"convert to VPIM for {step['to']} at {step['location']}"
        case "relay-to-smart-host" | "relay-to-user":
            words = f"relay to {step['to']}"
        case "hand-over":
            words = f"hand over to the peer {step['peer']} for {step['to']}"
        case "report":
            words = f"report to {step['to']}: {step['about']} {step['action']}, {step['status']} {step['cause']}"
        case "bad-mail":
            words = f"keep as bad mail: {step['reason']}"
        case "learn-contact":
            words = f"learn the sender's contact at {step['location']}"
        case other:
            words = other
    if "next_hop" in step:
        return f"{words}, through {step['next_hop']} (TLS {step['tls']})"
    if "cause" in step and step["step"] != "report":
        return f"{words}; it cannot leave: {step['status']} {step['cause']}"
    return words
