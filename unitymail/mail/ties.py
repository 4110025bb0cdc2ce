"""What ties a message to others: its message id, those it refers to, its base subject: as numbers of 64 bits.

Knows the rules of RFC 5256, 3 (THREAD=REFERENCES) about which fields count; refuses to build threads. Numbers are
digests: two ids that differ have the same number once in 2^64, and what would follow is a message in the wrong thread.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from hashlib import blake2b

from unitymail.mail.base_subject import base_subject
from unitymail.mail.encoded_words import decode
from unitymail.mail.message_ids import message_ids
from unitymail.mail.text import fold

_FIELD = re.compile(rb"\n((?i:message-id|references|in-reply-to|subject))[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)")
REPLY = 1
"""The bit of a packed subject that says reply or forward; digests of subjects have it clear."""
MOST_REFERENCES = 256
"""Of a message that refers to more, the first id (where the thread began) and the last ones count."""
_ODD = 0x9E3779B97F4A7C15
_POSITIVE = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Ties:
    """0 is no message id, and the empty subject. `references` are in order, the direct parent last."""

    message_id: int
    subject: int
    reply: bool
    references: tuple[int, ...]

    def packed(self) -> bytes:
        """As octets: the message id, the subject with its `REPLY` bit, the references; `array("Q")` reads them."""
        return array("Q", (self.message_id, self.subject | self.reply, *self.references)).tobytes()


def ties(fields: bytes) -> Ties:
    """From header fields as stored, those of `summary.KEPT_FIELDS` at least; of repeated ones the first counts."""
    named: dict[bytes, bytes] = {}
    for name, raw in _FIELD.findall(b"\n" + fields):
        named.setdefault(name.lower(), raw)
    subject, reply = base_subject(decode(named[b"subject"])) if b"subject" in named else ("", False)
    own = message_ids(named.get(b"message-id", b""))
    references = message_ids(named.get(b"references", b"")) or message_ids(named.get(b"in-reply-to", b""))[:1]
    if len(references) > MOST_REFERENCES:
        references = [references[0], *references[1 - MOST_REFERENCES :]]
    return Ties(
        _number(own[0]) if own else 0,
        _number(fold(subject).encode("utf-8", "replace")) & ~REPLY if subject else 0,
        reply,
        tuple(map(_number, references)),
    )


def _number(octets: bytes) -> int:
    return int.from_bytes(blake2b(octets, digest_size=8).digest(), "little") or 2


def tokens_of(packed: bytes) -> list[int]:
    """What messages of one thread have in common: a message id, own or referred to, under this subject; 63 bits."""
    own, subject, *references = array("Q", packed)
    under = (subject | REPLY) * _ODD
    return list({(number ^ under) & _POSITIVE for number in (own, *references) if number})
