"""What notices say: what is the case, what comes of it, what to do. Refuses to know how they look and are sent."""

from __future__ import annotations

from unitymail.mail.writing import date_in_words
from unitymail.policy.aging import Alert, Rule, Warned
from unitymail.policy.fullness import Crossed, Level, limit_of

KIB, MIB = 1024, 1024 * 1024
_TITLES = {
    Level.WARNING: "Your mailbox is almost full",
    Level.SEND: "Your mailbox is too full for you to send messages",
    Level.RECEIVE: "Your mailbox is full",
}
_COMES_OF_IT = {
    Level.SEND: "Until then the messages that you send are refused. You still get messages.",
    Level.RECEIVE: "Until then nobody can send you anything: senders are told that your mailbox is full.",
}
_ACTIONS = {
    Rule.NEW: "in your INBOX that you have not read will be marked as read",
    Rule.SAVED: "in your INBOX will be moved to Deleted Items",
    Rule.DELETED: "in Deleted Items will be removed for good",
    Rule.TOUCHED_SECURE: "marked as secure will be removed for good",
    Rule.SECURE: "marked as secure will be removed for good",
    Rule.RECORDING: "will have no recording any more",
}
_WHAT_TO_DO = (
    "What you want to keep, please file in another folder, or save elsewhere, before that day. Secure messages cannot "
    "be kept longer. For the others you need not do anything."
)


def octets_in_words(octets: int) -> str:
    """`13.2 MB`, as people count their mail (of 1,024 KB)."""
    if octets < MIB:
        return f"{octets // KIB} KB"
    return f"{octets / MIB:.1f}".removesuffix(".0") + " MB"


def about_fullness(crossed: Crossed) -> tuple[str, list[str]]:
    """(subject, paragraphs)"""
    quota, level = crossed.quota, crossed.level
    most = octets_in_words(limit_of(level, quota))
    said = [f"{_TITLES[level]}. It holds {octets_in_words(crossed.octets)}; {_limits(most)[level]}."]
    said += [f"Please delete messages that you do not need, and empty Deleted Items. {_COMES_OF_IT.get(level, '')}"]
    said += [text for higher, text in _to_come(crossed).items() if higher > level]
    return _TITLES[level], said


def _limits(most: str) -> dict[Level, str]:
    return {
        Level.WARNING: f"you are warned from {most} on",
        Level.SEND: f"with {most} or more you cannot send messages",
        Level.RECEIVE: f"with {most} or more you cannot get messages",
    }


def _to_come(crossed: Crossed) -> dict[Level, str]:
    """What happens at the limits that the user has besides."""
    quota = crossed.quota
    said = {
        Level.SEND: f"With {octets_in_words(quota.send)} you could not send messages any more.",
        Level.RECEIVE: f"With {octets_in_words(quota.receive)} you could not get messages any more.",
    }
    return {level: text for level, text in said.items() if limit_of(level, quota)}


def about_age(warned: Warned) -> tuple[str, list[str]]:
    """(subject, paragraphs)"""
    total = sum(alert.messages for alert in warned.alerts)
    said = [_sentence(alert) for alert in warned.alerts]
    return f"{_messages(total)} in your mailbox will soon be too old", [*said, _WHAT_TO_DO]


def _sentence(alert: Alert) -> str:
    return f"{_messages(alert.messages)} {_ACTIONS[alert.rule]}, from {date_in_words(alert.first)} on."


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"
