"""How much a stored message asks to be kept to oneself: private, secure, both or neither.

Knows our trace field, in which that was written down on entry, and the fields in which senders ask for it; refuses to
know who may then see the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from unitymail.mail.headers import parted_fields
from unitymail.mail.lexical import LONGEST_HEADER
from unitymail.mail.message import Sensitivity
from unitymail.mail.sensitivity import SecureHeaders, asks_for_security, sensitivity_of
from unitymail.mail.trace import FIELD as TRACE
from unitymail.mail.trace import read_trace_field
from unitymail.mail.windows import Octets
from unitymail.mail.withheld import header_of

_TRACE = TRACE.lower()


@dataclass(frozen=True, slots=True)
class Secrecy:
    private: bool = False
    secure: bool = False


NEITHER = Secrecy()


def secrecy_of(
    buffer: Octets, *, ours: bool, secure_headers: SecureHeaders, secure_confidential: bool = False
) -> Secrecy:
    """What the message in `buffer` asks for.

    ours: our delivery made the file, so that its first trace field is our word, and the last one. Of other files
    (copies of such a file, mail of other programs) the field may be forged: it only adds to what the message says.
    """
    wanted, beginning = _fields_that_ask(secure_headers)
    header = header_of(buffer)
    if not beginning.search(b"\n" + header):
        return NEITHER
    named: dict[bytes, list[bytes]] = {}
    written = NEITHER
    for name, body in _fields(header, wanted):
        if name == _TRACE and name not in named and (trace := read_trace_field(body)) is not None:
            written = Secrecy(trace.sensitivity == Sensitivity.PRIVATE.value, trace.secure)
            if ours:
                return written
        named.setdefault(name, []).append(body)
    sensitivity = sensitivity_of(named)
    return Secrecy(
        written.private or sensitivity is Sensitivity.PRIVATE,
        written.secure
        or asks_for_security(named, secure_headers)
        or (secure_confidential and sensitivity is Sensitivity.CONFIDENTIAL),
    )


@lru_cache(16)
def _fields_that_ask(secure_headers: SecureHeaders) -> tuple[frozenset[bytes], re.Pattern[bytes]]:
    """Their names, and how a line begins that may be one of them: most headers have no such line."""
    names = frozenset(name.encode("utf-8", "replace") for name, _ in secure_headers) | {_TRACE, b"sensitivity"}
    return names, re.compile(rb"\n(?:" + b"|".join(map(re.escape, sorted(names))) + rb")[ \t]*+:", re.IGNORECASE)


def _fields(header: bytes, wanted: frozenset[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """(name in lower case, body) of those fields, in their order."""
    offset = 0
    for whole, written, body in parted_fields(header):
        if offset >= LONGEST_HEADER:
            return
        offset += len(whole)
        name = written.lower()
        if name in wanted:
            yield name, body
