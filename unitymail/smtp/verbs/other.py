"""NOOP, QUIT, HELP, VRFY and EXPN: the commands that change nothing. Refuses to tell anything about addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.mail.reply import Reply
from unitymail.smtp import commands, replies
from unitymail.smtp.refusal import Refused, refuse_argument

if TYPE_CHECKING:
    from unitymail.smtp.dialogue import Dialogue


def noop(dialogue: Dialogue, argument: str) -> bytes:
    return replies.NOTHING_DONE.octets()


def quit(dialogue: Dialogue, argument: str) -> bytes:
    refuse_argument(argument)
    return dialogue.close(replies.BYE)


def vrfy(dialogue: Dialogue, argument: str) -> bytes:
    if not argument:
        raise Refused(commands.NEEDS_ARGUMENT)
    return replies.CANNOT_VERIFY.octets()


def expn(dialogue: Dialogue, argument: str) -> bytes:
    return replies.NO_EXPANSION.octets()


def help(dialogue: Dialogue, argument: str) -> bytes:
    site = dialogue.site
    return Reply(
        214, "2.0.0",
        f"Commands: {' '.join(dialogue.verbs)}\n"
        f"Largest message: {f'{site.smtp_max_message_kib} KiB' if site.smtp_max_message_kib else 'unlimited'}\n"
        f"Recipients of a message: {site.smtp_max_recipients or 'unlimited'}\n"
        f"Messages in a connection: {site.smtp_max_messages_per_connection or 'unlimited'}",
    ).octets()
