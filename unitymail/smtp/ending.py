"""What a client is told of a message that it has sent whole: accepted, refused, or something went wrong here.

Knows the words, and who else hears of it; refuses to know what becomes of the message (`transaction`).

*Note: whose end.* Where a lax relay takes CR CR LF . CR LF for text, and we for the end that it is, the text behind it
comes to us as commands (SMTP smuggling). A message with bare line ends is refused in any case. Its refusal is held back
for a moment too: a client waits for it before it goes on. What comes without waiting is not believed, and the
connection ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unitymail.smtp import replies
from unitymail.smtp.reception import Reception
from unitymail.smtp.record import tell_end
from unitymail.smtp.transaction import Transaction, settle

if TYPE_CHECKING:
    from unitymail.smtp.dialogue import Dialogue

DOUBT_S = 1.0


async def answer_to(dialogue: Dialogue, transaction: Transaction, reception: Reception, verb: str) -> bytes:
    """The reply to the end of the message, which came by this verb."""
    octets = await _answer(dialogue, transaction, reception, verb)
    if reception.bare and verb == "DATA":
        dialogue.doubtful = True
        dialogue.held_back_s = max(dialogue.held_back_s, DOUBT_S)
    return octets


async def _answer(dialogue: Dialogue, transaction: Transaction, reception: Reception, verb: str) -> bytes:
    house, origin = dialogue.house, dialogue.origin
    try:
        told = origin if transaction.told is None else replace(origin, told=transaction.told)
        envelope = transaction.envelope()
        answer = await settle(house, dialogue.site, told, envelope, reception)
    except Exception as error:
        tell_end(house, origin, dialogue.session, transaction, reception, replies.BROKEN)
        return dialogue.surprised(f"message {reception.trace}", error)
    accepted = replies.LOWERED if transaction.lowered else replies.ACCEPTED
    tell_end(house, origin, dialogue.session, transaction, reception, answer or accepted)
    if answer is None:
        return b"%b; trace %b\r\n" % (accepted.octets().removesuffix(b"\r\n"), reception.trace.encode("ascii"))
    return dialogue.refuse(verb, answer, reception.trace, envelope) if answer.code >= 400 else answer.octets()
