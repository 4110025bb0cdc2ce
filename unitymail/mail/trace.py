"""The trace a message carries: its id, our header block at the top of what we store, and the signs of a loop.

Knows RFC 5321 4.4 and our own X-Unitymail-Trace field; refuses to know where the block is written, or what for.

Note *Words of others*. HELO names, addresses and subjects come from peers. Each passes through `mail.writing` before
it enters the block, so that none can end a line, open a field, or forge a clause of Received.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import quote, unquote

from unitymail.mail.envelope import Envelope
from unitymail.mail.headers import FIELD as FIELDS
from unitymail.mail.message import Message
from unitymail.mail.writing import date, path, token, unstructured

MAX_HEAD = 2048
MAX_RECEIVED = 100
MAX_HOPS_HERE = 3
FIELD = b"X-Unitymail-Trace"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)
_PAD = b"; pad="
_LONGEST_PATH = 512
_RECEIVED = re.compile(rb"^Received:[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE | re.IGNORECASE)
_PLAIN = re.compile(rb"[^\s;,()\"\\]{1,512}")


def new_trace(now: float, random: bytes) -> str:
    """A trace id: 10 characters of `now` (Unix seconds, to the microsecond), 10 of `random` (8 octets or more).

    20 characters of [0-9a-z]; ids of later moments sort later until the year 2085.
    """
    return _base36(int(now * 1_000_000)) + _base36(int.from_bytes(random, "big"))


def moment_of(trace: str) -> float | None:
    """When a trace id of `new_trace` was made (Unix seconds), that of its parent for a derived one; None for others."""
    text = trace[:10]
    if len(trace) < 20 or not trace[:20].isascii() or not trace[:20].isalnum() or trace[:20] != trace[:20].lower():
        return None
    return int(text, 36) / 1_000_000


def _base36(number: int) -> str:
    """The last ten digits, two at a time."""
    text = ""
    for _ in range(5):
        number, pair = divmod(number, 1296)
        text = _PAIRS[pair] + text
    return text


def looping(message: Message) -> bool:
    """RFC 5321 6.3: a message that was received 100 times, or passed this node 3 times before, goes in circles."""
    return message.received >= MAX_RECEIVED or message.hops_here >= MAX_HOPS_HERE


class Source(Protocol):
    """Who handed the message in, as far as Received tells it (`routing.decision.Origin` is one)."""

    @property
    def client(self) -> str: ...
    @property
    def helo(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def tls(self) -> str: ...
    @property
    def protocol(self) -> str: ...


class _Sender(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def matched(self) -> str: ...


class Decided(Protocol):
    """What was decided on entry, as far as the trace field tells it (`routing.decision.Decision` is one)."""

    @property
    def message(self) -> Message: ...
    @property
    def sender(self) -> _Sender: ...
    @property
    def secure(self) -> bool: ...


def head_block(
    *, trace: str, envelope: Envelope, origin: Source, decision: Decided, host: str, when: float, subject: str | None
) -> bytes:
    """Our header block: Return-Path, Received, trace field and, when `subject` is given, a Subject. CRLF lines.

    At most `MAX_HEAD` octets: a long `for` clause is left out first, then the subject is cut.
    """
    before = b"Return-Path: <" + path(envelope.sender, utf8=envelope.smtputf8, longest=_LONGEST_PATH) + b">\r\n"
    after = _trace_field(trace, decision)
    head = before + _received(trace, envelope, origin, host, when) + after
    if len(head) > MAX_HEAD:
        head = before + _received(trace, replace(envelope, recipients=()), origin, host, when) + after
    return head if subject is None else head + unstructured("Subject", subject, MAX_HEAD - len(head))


def received_field(head: bytes | bytearray) -> bytes:
    """The Received field of a header block, with its CRLF; b"" when there is none."""
    found = _RECEIVED.search(head)
    return bytes(found[0]) if found else b""


def _received(trace: str, envelope: Envelope, origin: Source, host: str, when: float) -> bytes:
    utf8 = envelope.smtputf8
    tls = b"\r\n\t(" + token(origin.tls.replace(" ", ":"), longest=100) + b")" if origin.tls else b""
    return (
        b"Received: from " + (token(origin.helo, utf8=utf8) or b"unknown") + b" ([" + _literal(origin.client) + b"])"
        b"\r\n\tby " + (token(host) or b"unknown") + b" with " + _protocol(origin, utf8) + b" id " + token(trace)
        + tls + _for(envelope) + _priority(envelope) + b";\r\n\t" + date(when).encode("ascii") + b"\r\n"
    )


def _for(envelope: Envelope) -> bytes:
    # RFC 5321 7.2: with several recipients the clause would show blind copies, so it names one or none. A quoted
    # local part may hold anything, "; " and " by " too, which careless readers of Received take for clauses.
    if len(envelope.recipients) != 1:
        return b""
    address = path(envelope.recipients[0].address, utf8=envelope.smtputf8, longest=_LONGEST_PATH + 1)
    return b"\r\n\tfor <" + address + b">" if _PLAIN.fullmatch(address) else b""


def _priority(envelope: Envelope) -> bytes:
    """RFC 6710: how urgent the message counts here, where it is not ordinary."""
    return b"\r\n\tpriority %d" % envelope.priority if envelope.priority else b""


def _protocol(origin: Source, utf8: bool) -> bytes:
    """The `with` name of RFC 3848 and RFC 6531: what EHLO, TLS, AUTH and SMTPUTF8 made of ESMTP."""
    if origin.protocol != "ESMTP":
        return token(origin.protocol) or b"SMTP"
    base = "UTF8SMTP" if utf8 else "ESMTP"
    return (base + ("S" if origin.tls else "") + ("A" if origin.user else "")).encode("ascii")


def _literal(client: str) -> bytes:
    """The client's address as RFC 5321 4.1.3 writes it, without brackets and without a zone (`%eth0`)."""
    prefix = b"IPv6:" if ":" in client else b""
    return prefix + (token(client.partition("%")[0], longest=64) or b"unknown")


def _trace_field(trace: str, decision: Decided) -> bytes:
    message = decision.message
    sender = quote(decision.sender.matched, safe="", errors="replace")[:256].encode("ascii")
    return (
        FIELD + b": id=" + token(trace) + b"; category=" + message.category.value.encode("ascii")
        + b"; sensitivity=" + message.sensitivity.value.encode("ascii")
        + b";\r\n\tsecure=" + (b"yes" if decision.secure else b"no")
        + b"; sender=" + sender + _PAD + b"\r\n"
    )


def padded(head: bytes, size: int) -> bytes:
    """The same block, filled up inside the trace field to exactly `size` octets; lines stay under 80 octets.

    Raises ValueError when the block is larger than `size`, or has no trace field of ours.
    """
    missing = size - len(head)
    at = head.find(_PAD, head.find(b"\r\n" + FIELD + b":"))
    if missing < 0 or at < 0:
        raise ValueError(f"a block of {len(head)} octets cannot be padded to {size}")
    at += len(_PAD)
    column = at - (head.rfind(b"\r\n", 0, at) + 2)
    return head[:at] + _filling(missing, column) + head[at:]


def _filling(missing: int, column: int) -> bytes:
    """Dots, folded: a fold (CRLF and a tab) is 3 octets, and at least one dot follows each."""
    line = min(missing, max(0, 76 - column))
    filling = [b"." * line]
    missing -= line
    while missing > 3:
        dots = min(missing - 3, 75)
        filling.append(b"\r\n\t" + b"." * dots)
        missing -= dots + 3
    filling.append(b"." * missing)
    return b"".join(filling)


@dataclass(frozen=True, slots=True)
class TraceField:
    """What was decided on entry, read back from our own field."""

    id: str
    category: str
    sensitivity: str
    secure: bool
    sender: str


def read_trace_field(value: bytes) -> TraceField | None:
    """The value of X-Unitymail-Trace (raw, folded or not) as `head_block` wrote it; None for anything else.

    Believe it only in the first block of a file whose name our own delivery made.
    """
    found = dict(_pairs(value))
    if not {"id", "category", "sensitivity", "secure", "sender"} <= found.keys():
        return None
    return TraceField(
        found["id"], found["category"], found["sensitivity"], found["secure"] == "yes", unquote(found["sender"])
    )


def first_trace_field(header: bytes) -> TraceField | None:
    """Our field in the header of a stored message; see `read_trace_field` for when to believe it."""
    for found in FIELDS.finditer(header):
        if found[1] is not None and found[1].lower() == FIELD.lower():
            return read_trace_field(found[0].partition(b":")[2])
    return None


def _pairs(value: bytes) -> Iterator[tuple[str, str]]:
    for piece in reversed(value.decode("ascii", "replace").split(";")):
        name, equals, text = piece.partition("=")
        if equals:
            yield name.strip(), text.strip()
