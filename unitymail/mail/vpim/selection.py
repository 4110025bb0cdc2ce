"""What of a message goes to a VPIM peer, and what is left out: message-formats.md section 5, "Parts" and "situations".

Knows which parts VPIM carries (RFC 3801 4.3 to 4.5) and which loss the sender must hear of; refuses to know recipients
and header fields (`heading`) and to decode audio: whoever does says afterwards what was empty (`without`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from unitymail.mail.attachments import attachments
from unitymail.mail.audio import is_audio, is_tiff, voice_role
from unitymail.mail.headers import decode, first
from unitymail.mail.part import Octets, Part
from unitymail.mail.structure import Structure
from unitymail.mail.vpim.body import Body
from unitymail.mail.vpim.fax import is_tiff_f
from unitymail.mail.vpim.forms import form_of
from unitymail.mail.windows import blocks

LONGEST_NAMED = 80
_CARDS = frozenset({"text/directory", "text/vcard", "text/x-vcard"})
"""Stripped both ways without a word (RFC 3801 4.5.2, Appendix F)."""
_NOT_READABLE = frozenset({
    "no header", "a multipart whose boundary never occurs", "a multipart without a boundary parameter",
})
"""Flaws of structure behind which audio may be hidden."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a message cannot go to a VPIM peer: an enhanced status code and one sentence for a person."""

    status: str
    cause: str


NOTHING_LEFT = Refused(
    "5.6.1", "The message holds no voice message and no fax, and the recipient's voice-mail system takes nothing else."
)
MALFORMED = Refused("5.6.0", "The message is malformed, so that no voice message can be found in it.")
REQUIRED = Refused(
    "5.6.1", "The sender marked a part as required that the recipient's voice-mail system cannot take."
)
UNKNOWN_AUDIO = Refused("5.6.1", "The message holds a recording in a form that cannot be converted.")


@dataclass(frozen=True, slots=True)
class Voice:
    """Recordings that become one: each part with its form, in the order of play. `language` as the sender wrote it."""

    sounds: tuple[tuple[Part, str], ...]
    language: bytes | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What one message comes to; `enclosed` are messages forwarded with it. `removed` names what the sender misses."""

    root: Part
    name: Voice | None = None
    subject: Voice | None = None
    message: Voice | None = None
    faxes: tuple[Part, ...] = ()
    enclosed: tuple[Selection, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.message or self.faxes or self.enclosed)

    @property
    def is_fax(self) -> bool:
        """Pages, and nothing to hear."""
        return bool(self.faxes) and not (self.message or self.enclosed)

    def voices(self) -> Iterator[Voice]:
        """All there is to hear, enclosed messages included."""
        yield from (voice for voice in (self.name, self.subject, self.message) if voice is not None)
        for inner in self.enclosed:
            yield from inner.voices()

    def without(self, empty: Collection[Voice]) -> Selection:
        """The same without recordings that hold no sound, and without what is empty then."""
        enclosed = tuple(inner.without(empty) for inner in self.enclosed)
        return replace(
            self,
            name=None if self.name in empty else self.name,
            subject=None if self.subject in empty else self.subject,
            message=None if self.message in empty else self.message,
            enclosed=tuple(inner for inner in enclosed if not inner.is_empty),
        )


def select(buffer: Octets, structure: Structure, *, fax: bool, swapped: bool = False) -> Selection | Refused:
    """What goes. `fax`: the peer takes pages; `swapped`: who sent it writes 32KADPCM in the other order."""
    if structure.beyond_limits:
        return MALFORMED
    try:
        selection = _Selecting(buffer, fax, swapped).select(structure.root)
    except _Refusal as refusal:
        return refusal.refused
    if not selection.is_empty:
        return selection
    hidden = not _NOT_READABLE.isdisjoint(structure.flaws)
    return MALFORMED if hidden or _holds_nul(buffer) else NOTHING_LEFT


class _Refusal(Exception):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.cause)
        self.refused = refused


@dataclass(slots=True)
class _Leaf:
    """`groups` are the multiparts around it that are marked as required, by where they begin."""

    part: Part
    groups: tuple[int, ...]
    in_voice_message: bool
    detached: bool = False


@dataclass(slots=True)
class _Found:
    """One message, taken apart."""

    name: list[tuple[Part, str]] = field(default_factory=list)
    subject: list[tuple[Part, str]] = field(default_factory=list)
    message: list[tuple[Part, str]] = field(default_factory=list)
    faxes: list[Part] = field(default_factory=list)
    enclosed: list[Selection] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


class _Selecting:
    def __init__(self, buffer: Octets, fax: bool, swapped: bool) -> None:
        self.buffer = buffer
        self.fax = fax
        self.swapped = swapped

    def select(self, root: Part) -> Selection:
        leaves = list(_leaves(root))
        attached = {id(part) for part in attachments(self.buffer, [leaf.part for leaf in leaves])}
        found = _Found()
        left_out: set[int] = set()
        kept: set[int] = set()
        for leaf in leaves:
            if self._take(leaf, found):
                kept.update(leaf.groups)
                continue
            if _is_required(leaf.part):
                raise _Refusal(REQUIRED)
            left_out.update(leaf.groups)
            if id(leaf.part) in attached and leaf.part.media_type not in _CARDS:
                found.removed.append(_called(leaf.part))
        if left_out - kept:
            raise _Refusal(REQUIRED)
        message = self._in_order(root, found.message)
        return Selection(
            root, _voice(found.name[:1]), _voice(found.subject[:1]), _voice(message), tuple(found.faxes),
            tuple(found.enclosed), tuple(found.removed),
        )

    def _take(self, leaf: _Leaf, found: _Found) -> bool:
        """Put a leaf where it belongs; False when VPIM has no place for it."""
        part = leaf.part
        if leaf.detached:
            return False
        if part.is_message:
            return self._enclose(part, found)
        if is_tiff(part):
            return self._page(part, found)
        form = form_of(self.buffer, part, swapped=self.swapped)
        role = voice_role(part)
        if form is None:
            if is_audio(part) and (leaf.in_voice_message or role == "voice-message"):
                raise _Refusal(UNKNOWN_AUDIO)
            return False
        if role == "recipient-spoken-name":  # of whom it was sent to, not of whom it goes to
            return True
        place = {"originator-spoken-name": found.name, "spoken-subject": found.subject}.get(role, found.message)
        place.append((part, form))
        return True

    def _enclose(self, part: Part, found: _Found) -> bool:
        inner = self.select(part.children[0])
        if inner.is_empty:
            return False
        found.enclosed.append(inner)
        found.removed.extend(inner.removed)
        return True

    def _page(self, part: Part, found: _Found) -> bool:
        if not (self.fax and is_tiff_f(Body(self.buffer, part))):
            return False
        found.faxes.append(part)
        return True

    def _in_order(self, root: Part, sounds: list[tuple[Part, str]]) -> list[tuple[Part, str]]:
        """Exchange names its recordings in X-AttachmentOrder, the newest first: they are played from the last on."""
        named = first(self.buffer, root, b"x-attachmentorder") if len(sounds) > 1 else None
        if named is None:
            return sounds
        places = {name.strip().lower(): -number for number, name in enumerate(decode(named).split(";"))}
        return sorted(sounds, key=lambda sound: places.get(sound[0].filename.lower(), 1))


def _leaves(root: Part) -> Iterator[_Leaf]:
    """The leaves in order, not entering enclosed messages; signatures as detached, one of several equal recordings."""
    waiting = [(root, (), False, False)]  # type: list[tuple[Part, tuple[int, ...], bool, bool]]
    while waiting:
        part, groups, in_voice, detached = waiting.pop()
        if not part.is_multipart:
            yield _Leaf(part, groups, in_voice, detached)
            continue
        if _is_required(part):
            groups = (*groups, part.start)
        in_voice = in_voice or part.subtype == "voice-message"
        children = part.children
        if part.subtype == "alternative":
            heard = [child for child in children if is_audio(child)]
            children = tuple(child for child in children if not is_audio(child) or child is heard[-1])
        following = [(child, groups, in_voice, detached) for child in children]
        if part.subtype == "signed":
            following = [one if not number else (*one[:3], True) for number, one in enumerate(following)]
        waiting.extend(reversed(following))


def _is_required(part: Part) -> bool:
    """RFC 3459 4: `handling=REQUIRED`, in RFC 4239 still `Criticality=CRITICAL`. Without either a part is optional."""
    return any(
        (name, value.strip().lower()) in (("handling", "required"), ("criticality", "critical"))
        for name, value in part.disposition_parameters
    )


def _voice(sounds: list[tuple[Part, str]]) -> Voice | None:
    if not sounds:
        return None
    languages = {part.language for part, _ in sounds}
    return Voice(tuple(sounds), languages.pop() if len(languages) == 1 else None)


def _called(part: Part) -> str:
    """How a person knows the part: by its file name, else by its kind."""
    if part.is_message:
        return "an enclosed message"
    return part.filename[:LONGEST_NAMED] or part.media_type


def _holds_nul(buffer: Octets) -> bool:
    return any(b"\0" in block for block in blocks(buffer, 0, len(buffer)))
