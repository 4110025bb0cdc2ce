"""Whether a message carries somebody's private message (decisions.md, Forwarding private).

Looks into messages inside it at any depth, also those that a mail client sent encoded, which RFC 2046 forbids and some
do all the same; into one of them at a time, so that no more than a few are in memory. Refuses to know who may send one:
that is `decide`'s.
"""

from __future__ import annotations

from unitymail.mail.headers import first
from unitymail.mail.message import Sensitivity
from unitymail.mail.part import Octets, Part
from unitymail.mail.sensitivity import sensitivity_of
from unitymail.mail.structure import scan
from unitymail.mail.text import first_octets

_ENCODED = frozenset({"base64", "quoted-printable"})
_MOST_OCTETS = 1 << 20
"""So much of an encoded message is decoded: its header, and those of the messages within."""
_MOST_DEEP = 5
"""Encoded messages within encoded messages; deeper ones nobody's mail client made."""


def encloses_private(buffer: Octets, root: Part) -> bool:
    """The message that a report returns does not count: its sender gets it back."""
    # By identity: two parts may be equal, and a thousand in a report are not to be compared a million times.
    returned = {id(part) for part in root.children} if root.media_type == "multipart/report" else frozenset()
    waiting = [(buffer, root, 0)]
    while waiting:
        octets, part, deep = waiting.pop()
        encoded = part.is_message and part.encoding in _ENCODED
        if encoded:
            if deep == _MOST_DEEP:
                continue
            octets = first_octets(octets, part, _MOST_OCTETS)
            deep += 1
        inside = (scan(octets).root,) if encoded else part.children
        if part.is_message and id(part) not in returned and _says_private(octets, inside[0]):
            return True
        waiting.extend((octets, one, deep) for one in reversed(inside))
    return False


def _says_private(octets: Octets, message: Part) -> bool:
    raw = first(octets, message, b"sensitivity")
    return raw is not None and sensitivity_of({b"sensitivity": [raw]}) is Sensitivity.PRIVATE
