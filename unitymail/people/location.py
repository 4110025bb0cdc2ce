"""Where mail may be handed to: a peer node of this site, or a VPIM location."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class LocationKind(Enum):
    PEER = "peer"
    VPIM = "vpim"


@dataclass(frozen=True, slots=True)
class Location:
    """`fingerprint` is the SHA-256 of a peer's public key (hex). Prefixes and `dial_id` belong to VPIM (chapter 4).

    `swap_code_words`: it writes G.726 with the first code word in the high bits. `audio` is what it is sent: g726 or
    mu-law. `create_contacts`, `modify_contacts` (never, name: when the text name changes, always) and `delete_contacts`
    say what its messages may do to contacts; `create_without_name` makes them without a spoken name too. `voice_only`:
    e-mail is never converted for it, whatever audio it has.
    """

    id: str
    kind: LocationKind
    name: str
    domain: str
    host: str = ""
    port: int = 25
    web_port: int = 0
    fingerprint: str = ""
    dial_id: str = ""
    remote_prefix: str = ""
    local_prefix: str = ""
    partition: str = ""
    scope: str = ""
    home: str = ""
    blind_addressing: bool = False
    allow_secure: bool = False
    fax: bool = False
    swap_code_words: bool = False
    audio: str = "g726"
    create_contacts: bool = False
    modify_contacts: str = "never"
    delete_contacts: bool = False
    create_without_name: bool = False
    send_spoken_name: bool = False
    voice_only: bool = False
