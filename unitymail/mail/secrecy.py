"""How much a stored message asks to be kept to oneself: private, secure, both or neither.

Knows our trace field, in which that was written down on entry, and the fields in which senders ask for it; refuses to
know who may then see the message.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.mail.headers import FIELD
from unitymail.mail.lexical import LONGEST_HEADER
from unitymail.mail.message import Sensitivity
from unitymail.mail.sensitivity import SecureHeaders, asks_for_security, sensitivity_of
from unitymail.mail.trace import FIELD as TRACE
from unitymail.mail.trace import read_trace_field
from unitymail.mail.windows import Octets
from unitymail.mail.withheld import header_of


@dataclass(frozen=True, slots=True)
class Secrecy:
    private: bool = False
    secure: bool = False


def secrecy_of(
    buffer: Octets, *, ours: bool, secure_headers: SecureHeaders, secure_confidential: bool = False
) -> Secrecy:
    """What the message in `buffer` asks for.

    ours: our delivery made the file, so that its first trace field is our word, and the last one. Of other files
    (copies of such a file, mail of other programs) the field may be forged: it only adds to what the message says.
    """
    named = _named(buffer, frozenset(name.encode("utf-8", "replace") for name, _ in secure_headers))
    trace = next((read_trace_field(raw) for raw in named.get(TRACE.lower(), ())), None)
    written = Secrecy() if trace is None else Secrecy(trace.sensitivity == Sensitivity.PRIVATE.value, trace.secure)
    if ours and trace is not None:
        return written
    sensitivity = sensitivity_of(named)
    return Secrecy(
        written.private or sensitivity is Sensitivity.PRIVATE,
        written.secure
        or asks_for_security(named, secure_headers)
        or (secure_confidential and sensitivity is Sensitivity.CONFIDENTIAL),
    )


def _named(buffer: Octets, secure: frozenset[bytes]) -> dict[bytes, list[bytes]]:
    wanted = secure | {TRACE.lower(), b"sensitivity"}
    named: dict[bytes, list[bytes]] = {}
    for found in FIELD.finditer(header_of(buffer)):
        if found.start() >= LONGEST_HEADER:
            break
        if found[1] is not None and (name := found[1].lower()) in wanted:
            named.setdefault(name, []).append(found[0].partition(b":")[2])
    return named
