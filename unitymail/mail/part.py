"""One part of a MIME tree, as offsets into the message's octets and what its own header says.

Knows RFC 3501 part numbers and file names; refuses to hold any content. Built by `structure.scan`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

from unitymail.mail.encoded_words import decode_words
from unitymail.mail.parameters import Parameters, octets_of, value_of

Octets = bytes | mmap
"""What a message is read from: whole in memory, or mapped. Only len(), slices, find and re are used."""

Kind = tuple[str, str, Parameters, str, str, Parameters]
Extension = tuple[bytes | None, bytes | None, bytes | None, bytes | None, bytes | None]

LONGEST_FILE_NAME = 255
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Part(NamedTuple):
    """`start` is where its header begins, `body` where its body does, `end` is exclusive.

    `type`, `subtype` and `encoding` are what the part counts as (a multipart whose boundary never occurs is
    text/plain); in lower case. `encoding` is "7bit" when the header says nothing. `lines` counts line ends in the
    body of text and message/rfc822 parts, 0 for others. A message/rfc822 has one child, the root of the message
    inside. The last five are field bodies as stored, None when absent.
    """

    start: int
    body: int
    end: int
    type: str
    subtype: str
    parameters: Parameters
    encoding: str = "7bit"
    disposition: str = ""
    disposition_parameters: Parameters = ()
    lines: int = 0
    children: tuple[Part, ...] = ()
    content_id: bytes | None = None
    description: bytes | None = None
    language: bytes | None = None
    location: bytes | None = None
    md5: bytes | None = None

    @property
    def kind(self) -> Kind:
        """What its header says, from `type` to `disposition_parameters`."""
        return self[3:9]

    @property
    def extension(self) -> Extension:
        """What its header says, from `content_id` on."""
        return self[11:]

    @property
    def media_type(self) -> str:
        """`audio/wav`"""
        return f"{self.type}/{self.subtype}"

    @property
    def is_multipart(self) -> bool:
        return self.type == "multipart"

    @property
    def is_message(self) -> bool:
        """Whether another message stands inside, as its one child."""
        return self.type == "message" and bool(self.children)

    @property
    def size(self) -> int:
        """Octets of the body, still transfer-encoded: the size of BODYSTRUCTURE."""
        return self.end - self.body

    def parameter(self, name: str) -> str | None:
        """A parameter of Content-Type, decoded (RFC 2231)."""
        return value_of(self.parameters, name)

    @property
    def filename(self) -> str:
        """The name the sender gave: decoded, without path or control characters, at most 255 characters; or ""."""
        if not self.disposition_parameters and not self.parameters:
            return ""
        name = value_of(self.disposition_parameters, "filename") or value_of(self.parameters, "name") or ""
        if "=?" in name:  # Outlook's habit: RFC 2047 inside a quoted string
            name = decode_words(octets_of(name))
        name = re.split(r"[/\\]", name)[-1]
        return _UNPRINTABLE.sub("", name).strip()[:LONGEST_FILE_NAME]


def walk(root: Part) -> Iterator[Part]:
    """Every part in the order of the octets, enclosed messages included."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(reversed(part.children))


def leaves(root: Part) -> list[Part]:
    """The non-multipart parts reached without entering an enclosed message (message-formats.md section 2).

    Of a multipart/signed only the first child counts: the signature is about the message, not in it.
    """
    found = []
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if not part.is_multipart:
            found.append(part)
        elif part.subtype == "signed":
            waiting.extend(part.children[:1])
        else:
            waiting.extend(reversed(part.children))
    return found


def find_part(root: Part, numbers: tuple[int, ...]) -> Part | None:
    """The part with this number (RFC 3501 6.4.5): (2, 1) is BODY[2.1]; () is the message. None when there is none.

    Part 1 of what is not a multipart is itself; numbers inside a message/rfc822 count the parts of that message.
    """
    part = root
    numbered = False
    for number in numbers:
        inside = part.children[0] if numbered and part.is_message else part
        if inside.is_multipart:
            if not 1 <= number <= len(inside.children):
                return None
            part = inside.children[number - 1]
        elif number == 1 and (inside is not part or not numbered):
            part = inside
        else:
            return None
        numbered = True
    return part
