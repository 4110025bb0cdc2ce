"""EHLO, HELO and STARTTLS: who the client says it is, and what it may use here. Refuses to believe the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.mail.reply import Reply
from unitymail.policy.limits import largest_message
from unitymail.policy.sasl import mechanisms
from unitymail.policy.tls import SUBMISSION, auth_offered, starttls_offered
from unitymail.smtp import commands, replies
from unitymail.smtp.extensions import Situation, offered
from unitymail.smtp.refusal import Refused, refuse_argument

if TYPE_CHECKING:
    from unitymail.smtp.dialogue import Dialogue


def ehlo(dialogue: Dialogue, argument: str) -> bytes:
    dialogue.greet(commands.read_host(argument), "ESMTP")
    return Reply(250, "", "\n".join((dialogue.house.host, *offered(situation_of(dialogue))))).octets()


def situation_of(dialogue: Dialogue) -> Situation:
    """What decides which extensions this client may use now."""
    house, site, origin = dialogue.house, dialogue.site, dialogue.origin
    return Situation(
        max_octets=largest_message(site),
        starttls=_may_start_tls(dialogue),
        auth=not origin.user and auth_offered(house.door, dialogue.ip, dialogue.who.trust, dialogue.secure, site),
        max_recipients=site.smtp_max_recipients,
        max_messages=site.smtp_max_messages_per_connection,
        tls=dialogue.secure,
        peer=bool(origin.peer),
        submission=bool(origin.user) and house.door in SUBMISSION,
        now=house.now(),
        mechanisms=mechanisms(site),
    )


def helo(dialogue: Dialogue, argument: str) -> bytes:
    dialogue.greet(commands.read_host(argument), "SMTP")
    return Reply(250, "", dialogue.house.host).octets()


def starttls(dialogue: Dialogue, argument: str) -> bytes:
    refuse_argument(argument)
    if dialogue.secure:
        raise Refused(replies.TLS_ALREADY)
    if not _may_start_tls(dialogue):
        raise Refused(replies.NO_TLS)
    dialogue.expect_tls()
    return replies.START_TLS.octets()


def _may_start_tls(dialogue: Dialogue) -> bool:
    house = dialogue.house
    return house.tls is not None and starttls_offered(
        house.door, dialogue.who.trust, dialogue.secure, dialogue.site, dialogue.who.client.at_peer
    )
