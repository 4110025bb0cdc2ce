"""What a message from a VPIM peer holds: audio, fax pages, recorded names, forwarded messages, in order of appearance.

Knows RFC 3801 section 4 as peers write it, version 1 and prohibited parts included; refuses to decode audio, and to
know where the message goes. `outlook` gives it the form that mail clients play.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from unitymail.mail.audio import audio_type, is_audio, is_tiff, voice_role
from unitymail.mail.part import Part, walk

_NAMES = frozenset({"originator-spoken-name", "recipient-spoken-name", "spoken-subject"})
"""Values of `voice` that are no message; all others are, unknown ones too (message-formats.md 6.2)."""


@dataclass(slots=True)
class Contents:
    """One message, its `root` first. `audio` is played in this order, as one recording; none of it is discarded.

    `forwarded` are enclosed messages with something to hear or see, `enclosed` the other ones (message/rfc822 parts).
    `removed` names what has no place in a mailbox: texts, cards, documents.
    """

    root: Part
    audio: list[Part] = field(default_factory=list)
    faxes: list[Part] = field(default_factory=list)
    forwarded: list[Contents] = field(default_factory=list)
    enclosed: list[Part] = field(default_factory=list)
    spoken_name: Part | None = None
    removed: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.audio or self.faxes or self.forwarded)

    @property
    def has_fax(self) -> bool:
        return bool(self.faxes) or any(inner.has_fax for inner in self.forwarded)

    def everything(self) -> Iterator[Contents]:
        """This message, then those it forwards, in order; at most as deep as messages may be nested."""
        yield self
        for inner in self.forwarded:
            yield from inner.everything()


def contents_of(root: Part) -> Contents:
    """The contents of the message whose root part is `root`."""
    found = Contents(root)
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.is_multipart:
            waiting.extend(reversed(_parts_that_count(part)))
        elif part.is_message:
            _enclose(found, part)
        elif is_audio(part) or audio_type(part):
            _hear(found, part)
        elif is_tiff(part):
            found.faxes.append(part)
        else:
            found.removed.append(part.filename or part.media_type)
    return found


def _parts_that_count(part: Part) -> tuple[Part, ...]:
    """Of a signed message what is signed; of alternatives the last one that can be heard or seen."""
    if part.subtype == "signed":
        return part.children[:1]
    if part.subtype == "alternative":
        media = [child for child in part.children if any(is_audio(one) or is_tiff(one) for one in walk(child))]
        return tuple(media[-1:]) or part.children
    return part.children


def _enclose(found: Contents, part: Part) -> None:
    inner = contents_of(part.children[0])
    if inner.is_empty:
        found.enclosed.append(part)
    else:
        found.forwarded.append(inner)


def _hear(found: Contents, part: Part) -> None:
    role = voice_role(part)
    if role not in _NAMES:
        found.audio.append(part)
    elif role == "originator-spoken-name" and found.spoken_name is None:
        found.spoken_name = part
