"""What the categorisation rules look at: leaves, attachments, hints, and whether octets bear out their labels.

Knows one message, looks at each part at most once; refuses to conclude anything, which is `categorise`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from unitymail.mail.attachments import attachments, is_readable
from unitymail.mail.audio import TELEPHONE, audio_type, has_tiff_signature, is_audio, is_playable, is_tiff, voice_role
from unitymail.mail.lexical import unfold
from unitymail.mail.part import Octets, Part, leaves, walk
from unitymail.mail.sensitivity import plain_word

Hint = Literal["voice", "fax", "email"]

HINT_FIELDS = frozenset({b"message-context", b"content-class", b"x-voicemessageduration", b"x-faxnumberofpages"})
ASTERISK = b"x-asterisk-vm-"
_CONTEXTS: dict[str, Hint] = {
    "voice-message": "voice", "fax-message": "fax", "text-message": "email", "pager-message": "email",
    "multimedia-message": "email", "video-message": "email",
}
_CLASSES: dict[str, Hint] = {
    "voice": "voice", "voice-ca": "voice", "voice-uc": "voice", "fax": "fax", "fax-ca": "fax", "missedcall": "email",
}
_MARKED_NAME = re.compile(r"voice ?message.*\.wav|msg\d{4}\..*", re.IGNORECASE | re.DOTALL)
_MARKED_DESCRIPTIONS = frozenset({b"voicemail sound attachment.", b"sound attachment."})
_FAX_ADDRESS = re.compile(rb"(?<![^\s<,:;\"])FAX=\+?\d", re.IGNORECASE)


class _Looked(NamedTuple):
    playable: bool
    kind: str


class Evidence:
    """`fields` are header field bodies by lower-case name, for the names that rules ask for."""

    def __init__(self, buffer: Octets, root: Part, fields: Mapping[bytes, Sequence[bytes]]) -> None:
        self.buffer = buffer
        self.fields = fields
        while root.media_type == "multipart/signed":
            root = root.children[0]
        self.root = root
        self._looked: dict[tuple[int, int], _Looked] = {}

    @property
    def is_plain_text(self) -> bool:
        """One text for people to read and no hint, as most messages are: no rule has anything to look at."""
        return not self.root.children and is_readable(self.root) and self.hint is None

    @cached_property
    def leaves(self) -> list[Part]:
        return leaves(self.root)

    @cached_property
    def attachments(self) -> list[Part]:
        """Leaves that are neither the text for people to read nor images shown inside it."""
        return attachments(self.buffer, self.leaves)

    def look(self, part: Part) -> _Looked:
        at = (part.start, part.body)
        looked = self._looked.get(at)
        if looked is None:
            kind = audio_type(part)
            looked = self._looked[at] = _Looked(bool(kind) and is_playable(self.buffer, part), kind)
        return looked

    def is_playable(self, part: Part) -> bool:
        """Audio of any kind whose octets agree."""
        return self.look(part).playable

    def is_telephone(self, part: Part) -> bool:
        """Playable, and of a kind that is voice without further proof."""
        looked = self.look(part)
        return looked.playable and looked.kind in TELEPHONE

    def is_tiff(self, part: Part) -> bool:
        """A TIFF whose octets agree."""
        return is_tiff(part) and has_tiff_signature(self.buffer, part)

    def is_fax(self, part: Part) -> bool:
        """A TIFF that says in some way that it is a fax."""
        return is_tiff(part) and self._says_fax(part) and has_tiff_signature(self.buffer, part)

    def _says_fax(self, part: Part) -> bool:
        application = (part.parameter("application") or "").lower()
        return application in ("faxbw", "faxcolor") or part.filename.lower().startswith("fax") or self._fax_addressed

    @cached_property
    def _fax_addressed(self) -> bool:
        """T.37: From or To of the form FAX=+number@domain (RFC 3191)."""
        return any(
            _FAX_ADDRESS.search(unfold(raw)) for name in (b"from", b"to") for raw in self.fields.get(name, ())
        )

    def is_marked(self, part: Part) -> bool:
        """Whether name, description or the VPIM parameter says that an attachment is a voice message."""
        if voice_role(part) == "voice-message" or _MARKED_NAME.fullmatch(part.filename):
            return True
        return part.description is not None and unfold(part.description).lower() in _MARKED_DESCRIPTIONS

    def holds_audio(self, parts: Sequence[Part], *, declared: bool) -> bool:
        """Whether a part is playable or (`declared`) merely called audio, enclosed messages searched too."""
        return any(
            (declared and is_audio(inner)) or self.is_playable(inner)
            for part in parts
            for inner in walk(part)
            if not inner.children
        )

    @cached_property
    def hint(self) -> Hint | None:
        """The first of Message-Context, Content-Class and the product headers that says something known."""
        for name, meanings in ((b"message-context", _CONTEXTS), (b"content-class", _CLASSES)):
            raws = self.fields.get(name)
            if raws and (meaning := meanings.get(plain_word(raws[0]))):
                return meaning
        if b"x-voicemessageduration" in self.fields or ASTERISK in self.fields:
            return "voice"
        return "fax" if b"x-faxnumberofpages" in self.fields else None

    @property
    def is_fax_context(self) -> bool:
        raws = self.fields.get(b"message-context")
        return bool(raws) and plain_word(raws[0]) == "fax-message"  # type: ignore[index]

    @cached_property
    def voice_message(self) -> Part | None:
        """The multipart/voice-message at the root or below multipart/mixed (RFC 3801 4.5.1)."""
        waiting = [self.root]
        while waiting:
            part = waiting.pop()
            if part.media_type == "multipart/voice-message":
                return part
            if part.media_type == "multipart/mixed":
                waiting.extend(reversed(part.children))
            elif part.media_type == "multipart/signed":
                waiting.extend(part.children[:1])
        return None
