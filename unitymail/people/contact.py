"""A contact: somebody outside with a name here; with a VPIM location, a voice mailbox on another system."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    """`location` is the id of a VPIM location, "" for none (such a contact is handled as an unknown recipient)."""

    id: str
    alias: str
    display_name: str = ""
    first_name: str = ""
    last_name: str = ""
    location: str = ""
    mailbox_number: str = ""
    extension: str = ""
    proxies: tuple[str, ...] = ()
    partition: str = ""
