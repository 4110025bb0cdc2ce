"""The class of service: what a group of users may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class RequireSecure(Enum):
    """When a user's messages are marked secure (Unity Connection's RequireSecureMessages 1 to 4)."""

    ALWAYS = "always"
    NEVER = "never"
    ASK = "ask"
    PRIVATE = "private"


class ImapBodies(Enum):
    ALL = "all"
    NOT_PRIVATE = "not-private"
    HEADERS = "headers"


@dataclass(frozen=True, slots=True)
class ClassOfService:
    id: str
    name: str
    access_imap: bool = False
    imap_bodies: ImapBodies = ImapBodies.NOT_PRIVATE
    secure: RequireSecure = RequireSecure.PRIVATE
    secure_imap: bool = False
    send_to_lists: bool = True
