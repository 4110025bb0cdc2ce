"""The Content-* fields of one part's header, read together (RFC 2045).

Knows which of them count, and what is wrong with them in words; refuses to know where the part is and what it holds.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from unitymail.mail import parameters
from unitymail.mail.parameters import MediaType
from unitymail.mail.part import LONGEST_FILE_NAME, Extension, Kind

_FIELD = re.compile(
    rb"\n[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-([A-Za-z0-9-]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)"
)
_SHORT = 300
FILE_NAME_TOO_LONG = f"a file name over {LONGEST_FILE_NAME} characters"


class PartHeader(NamedTuple):
    """The first field of each name counts. `media` is None when no field says it.

    `kind` and `extension` are those of `Part`, for one that is what its header says.
    `is_leaf`: nothing else has to be known of a part that begins so.
    """

    media: MediaType | None
    kind: Kind
    extension: Extension
    flaws: tuple[str, ...]
    is_leaf: bool
    is_text: bool


def read(block: bytes) -> PartHeader:
    """A whole header, as stored. Short ones are mostly like others that were read a moment ago."""
    return _again(block) if len(block) <= _SHORT else _read(block)


def _read(block: bytes) -> PartHeader:
    flaws: list[str] = []
    get = _content_fields(block, flaws).get
    raw, encoding, disposition = get(b"type"), get(b"transfer-encoding"), get(b"disposition")
    media = None if raw is None else parameters.media_type(raw)
    type, subtype, pairs, sound = media or parameters.ASSUMED
    return PartHeader(
        media,
        (
            type, subtype, pairs, (parameters.word(encoding) or "7bit") if encoding else "7bit",
            *(parameters.disposition(disposition) if disposition else ("", ())),
        ),
        (get(b"id"), get(b"description"), get(b"language"), get(b"location"), get(b"md5")),
        tuple(flaws),
        type not in ("multipart", "message") and sound and not flaws and b"\n--" not in b"\n" + block,
        type == "text",
    )  # fmt: skip


_again = lru_cache(maxsize=512)(_read)


def _content_fields(block: bytes, flaws: list[str]) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for written, value in _FIELD.findall(b"\n" + block):
        name = written.lower()
        if name not in fields:
            fields[name] = value
            if len(value) > LONGEST_FILE_NAME and _names_long_file(name, value):
                flaws.append(FILE_NAME_TOO_LONG)
        elif name in (b"type", b"transfer-encoding"):
            flaws.append(f"two Content-{name.decode('ascii').title()} fields in one header")
    return fields


def _names_long_file(name: bytes, value: bytes) -> bool:
    if name == b"disposition":
        found = parameters.value_of(parameters.disposition(value)[1], "filename")
    elif name == b"type":
        found = parameters.value_of(parameters.media_type(value).parameters, "name")
    else:
        return False
    return found is not None and len(found) > LONGEST_FILE_NAME
