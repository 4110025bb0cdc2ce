"""What reading a message once tells about it. Decided on entry, stored with the message, never decided again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Category(Enum):
    """Which message action of a user applies."""

    VOICE = "voice"
    EMAIL = "email"
    FAX = "fax"
    RECEIPT = "receipt"

    @property
    def plural(self) -> str:
        """Several of them in words: `voice messages`, `receipts`."""
        return "receipts" if self is Category.RECEIPT else f"{self.value} messages"


class Sensitivity(Enum):
    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class Importance(Enum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Message:
    """The facts of one message, from one pass over its octets.

    `rule` names the categorisation rule that matched (R1 to R7). `secure` is what the secure header and, where the
    site says so, the sensitivity ask for; the sender's class of service may add to it when the message is planned.
    `header_from` and `header_sender` are the bare addresses, as written, of all From and all Sender fields;
    `authors_cut` says that one of these or the header is longer than what is read, so there may be more of them.
    `asks_receipt`: voice or fax whose sender wants to know when it is heard or seen, and did not send automatically.
    `subject`, `message_id` and `date` are decoded text, "" when absent. `received` counts Received fields, `hops_here`
    those that name this node.
    """

    category: Category
    rule: str
    sensitivity: Sensitivity
    secure: bool
    importance: Importance
    malformed: bool
    size: int
    header_from: tuple[str, ...] = ()
    header_sender: tuple[str, ...] = ()
    authors_cut: bool = False
    display_from: str = ""
    subject: str = ""
    has_subject: bool = False
    message_id: str = ""
    date: str = ""
    received: int = 0
    hops_here: int = 0
    encloses_private: bool = False
    asks_receipt: bool = False

    @property
    def vpim(self) -> bool:
        """Whether it comes as VPIM (RFC 3801), with something to hear or see (rule R3)."""
        return self.rule == "R3" and self.category in (Category.VOICE, Category.FAX)
