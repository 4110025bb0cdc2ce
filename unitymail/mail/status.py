"""What each enhanced status code (RFC 3463) means to a person: why, and what to do about it. One text per status.

Knows every status of our own table and, by its subject, any that a next hop may send; refuses to know who asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """`why` is a sentence, `advice` what the sender can do."""

    why: str
    advice: str


_LATER = "Try again later. If it keeps failing, tell your administrator the reference below."
_ADMINISTRATOR = "Tell your administrator the reference below."
_CHECK_ADDRESS = "Check the address for misspellings and send the message again."
_ASK_RECIPIENT = "Reach the recipient in another way and let them know."

TEXTS: dict[str, Explanation] = {
    "2.0.0": Explanation("The message arrived.", "There is nothing to do."),
    "2.1.5": Explanation("The message arrived.", "There is nothing to do."),
    "2.6.4": Explanation(
        "The message arrived, but parts that the recipient's system cannot take were left out.",
        "If those parts matter, send them in another way.",
    ),
    "5.1.1": Explanation("Nobody has this address.", _CHECK_ADDRESS),
    "5.1.2": Explanation("The part of the address after the @ does not exist.", _CHECK_ADDRESS),
    "5.1.3": Explanation("The address is not written correctly.", _CHECK_ADDRESS),
    "5.1.4": Explanation("The address stands for more than one person.", "Use the recipient's full address."),
    "5.1.7": Explanation("Your own address is not written correctly.", "Check the settings of your mail program."),
    "5.1.10": Explanation("The recipient's domain takes no mail.", _CHECK_ADDRESS),
    "5.2.1": Explanation("The recipient's mailbox is switched off.", _ASK_RECIPIENT),
    "4.2.2": Explanation(
        "The recipient's mailbox is full.", "Send the message again when the recipient has made room."
    ),
    "5.2.2": Explanation(
        "The recipient's mailbox is full.", "Send the message again when the recipient has made room."
    ),
    "5.2.3": Explanation(
        "The message is larger than this recipient accepts.", "Make it shorter, or send it in several parts."
    ),
    "5.2.4": Explanation("The list could not be expanded.", "Write to its members directly, or tell its owner."),
    "4.3.1": Explanation("The recipient's system has no room at present.", _LATER),
    "4.3.2": Explanation("The recipient's system is closed at present.", _LATER),
    "5.3.4": Explanation(
        "The message is larger than the recipient's system accepts.", "Make it shorter, or send it in several parts."
    ),
    "5.3.5": Explanation("The way to the recipient is not set up on this system.", _ADMINISTRATOR),
    "4.4.1": Explanation("The recipient's system did not answer.", _LATER),
    "4.4.2": Explanation("The connection to the recipient's system broke off.", _LATER),
    "4.4.3": Explanation("The recipient's system could not be found, because name service failed.", _LATER),
    "5.4.4": Explanation("There is no way to the recipient's system.", _CHECK_ADDRESS),
    "4.4.6": Explanation("The message was going in circles between systems.", _ADMINISTRATOR),
    "5.4.6": Explanation("The message was going in circles between systems.", _ADMINISTRATOR),
    "4.4.7": Explanation("The message could not be handed over in the time allowed.", _LATER),
    "4.5.3": Explanation("The message has too many recipients.", "Send it again to fewer recipients at a time."),
    "5.5.3": Explanation("The message has too many recipients.", "Send it again to fewer recipients at a time."),
    "5.6.0": Explanation(
        "The message is damaged or not built as mail should be.", "Write it anew and send it again."
    ),
    "5.6.1": Explanation(
        "The recipient does not accept this kind of message.", "Send it as another kind, or reach them in another way."
    ),
    "5.6.3": Explanation(
        "The message cannot be turned into a form that the recipient's system takes.",
        "Record the message, or send it without attachments.",
    ),
    "5.6.5": Explanation(
        "The recording could not be turned into a form that the recipient's system takes.",
        "Record the message again and send it.",
    ),
    "5.6.7": Explanation(
        "The recipient's system does not take addresses with international characters.",
        "Ask the recipient for an address in plain letters.",
    ),
    "5.6.9": Explanation(
        "The recipient's system does not take international characters in the header.",
        "Use plain letters in the names and the subject.",
    ),
    "4.7.0": Explanation("The recipient's system could not check who is sending.", _LATER),
    "5.7.0": Explanation("The recipient's system wants a protected or signed-in connection.", _ADMINISTRATOR),
    "5.7.1": Explanation(
        "The message was not allowed to go to this recipient.",
        "If it is private or secure, send it without that mark; otherwise ask your administrator.",
    ),
    "5.7.2": Explanation(
        "You are not allowed to send to this list.", "Write to its members directly, or ask its owner."
    ),
    "4.7.4": Explanation("A protected connection to the recipient's system was not possible.", _ADMINISTRATOR),
    "5.7.4": Explanation("A protected connection to the recipient's system was not possible.", _ADMINISTRATOR),
    "5.7.8": Explanation("The next system did not accept this system's password.", _ADMINISTRATOR),
    "5.7.11": Explanation("The next system wants a password over a protected connection only.", _ADMINISTRATOR),
}

_SUBJECTS: dict[str, Explanation] = {
    "1": Explanation("The recipient's address was not accepted.", _CHECK_ADDRESS),
    "2": Explanation("The recipient's mailbox cannot take the message.", _ASK_RECIPIENT),
    "3": Explanation("The recipient's system cannot take the message.", _LATER),
    "4": Explanation("The recipient's system could not be reached.", _LATER),
    "5": Explanation("The systems did not understand each other.", _ADMINISTRATOR),
    "6": Explanation("The recipient's system does not take this kind of content.", _ASK_RECIPIENT),
    "7": Explanation("The recipient's system does not allow the message.", _ASK_RECIPIENT),
}
_ANYTHING = Explanation("The message could not be delivered.", _ADMINISTRATOR)


_WELL_FORMED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


def status_or_unknown(status: str) -> str:
    """`status` when it is one (RFC 3463 2), else 5.0.0: what a next hop says may be anything."""
    return status if _WELL_FORMED.fullmatch(status) else "5.0.0"


def explain(status: str) -> Explanation:
    """The text for a status; one that we do not know is explained by its class-less twin, then by its subject."""
    if status in TEXTS:
        return TEXTS[status]
    kind, _, detail = status.partition(".")
    if kind == "2":
        return TEXTS["2.0.0"]
    twin = TEXTS.get(f"5.{detail}") or TEXTS.get(f"4.{detail}")
    return twin or _SUBJECTS.get(detail.partition(".")[0], _ANYTHING)
