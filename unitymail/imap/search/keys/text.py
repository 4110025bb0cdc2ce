"""Keys about words: FROM, TO, CC, BCC, SUBJECT, HEADER, BODY and TEXT: substrings by i;unicode-casemap (RFC 5051).

Needles are folded already. The index answers for the fields it keeps; only what it cannot tell reads the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unitymail.imap.kept import body_of, picker
from unitymail.imap.search.key import Arguments, key
from unitymail.imap.search.leaf import UNSURE, YES, ContentProbe, Probe, RowProbe, Verdicts, WordsProbe
from unitymail.imap.search.words import Words
from unitymail.mail.headers import decode
from unitymail.mail.summary import KEPT_FIELDS
from unitymail.mail.text import fold

TERMS = ("from", "to", "cc", "bcc", "subject")
"""The lines of the index's `terms`, in their order."""


@dataclass(frozen=True, slots=True)
class Term:
    """One of the fields that the index keeps decoded and folded."""

    name: str
    needle: str

    def probes(self) -> tuple[Probe, ...]:
        return (RowProbe(("terms",), self._judge, holding=telling(self.needle)),)

    def _judge(self, terms: Sequence[str]) -> Verdicts:
        needle, line = self.needle, TERMS.index(self.name)
        # Most messages lack the needle altogether: only the others are taken apart.
        return bytes([needle in text and needle in text.split("\n")[line] for text in terms])


@dataclass(frozen=True, slots=True)
class Header:
    """Any field, by its lower-case name; an empty needle asks whether there is one."""

    name: bytes
    needle: str

    def probes(self) -> tuple[Probe, ...]:
        if self.name in KEPT_FIELDS:
            return (RowProbe(("fields",), self._by_field),)
        return (ContentProbe(lambda words: any(self.needle in text for text in words.field(self.name))),)

    def _by_field(self, kept: Sequence[bytes]) -> Verdicts:
        pick, needle = picker([self.name]), self.needle
        return bytes([any(needle in fold(decode(body_of(field))) for field in pick(header)) for header in kept])


@dataclass(frozen=True, slots=True)
class Body:
    """Text parts and enclosed messages."""

    needle: str

    def probes(self) -> tuple[Probe, ...]:
        return WordsProbe(self.needle, body_only=True), ContentProbe(lambda words: words.in_body(self.needle))


@dataclass(frozen=True, slots=True)
class Text:
    """Header or body. The fields that are kept can say yes, never no."""

    needle: str

    def probes(self) -> tuple[Probe, ...]:
        return (
            RowProbe(("terms",), self._by_terms, holding=telling(self.needle), otherwise=UNSURE),
            WordsProbe(self.needle, body_only=False),
            ContentProbe(self._by_words),
        )  # fmt: skip

    def _by_terms(self, terms: Sequence[str]) -> Verdicts:
        return bytes([YES if self.needle in text else UNSURE for text in terms])

    def _by_words(self, words: Words) -> bool:
        return words.in_headers(self.needle) or words.in_body(self.needle)


def telling(needle: str) -> str:
    """The needle, if the index can be asked which terms hold it; else empty."""
    askable = len(needle) <= 200 and "\0" not in needle and not any("\ud800" <= sign <= "\udfff" for sign in needle)
    return needle if askable else ""


@key("FROM", "TO", "CC", "BCC", "SUBJECT")
def _term(arguments: Arguments, name: str) -> Term:
    return Term(name.lower(), arguments.text())


@key("HEADER")
def _header(arguments: Arguments, name: str) -> Term | Header:
    arguments.reader.space()
    field = arguments.reader.astring().lower().removesuffix(b":").strip()
    needle = arguments.text()
    spelled = field.decode("latin-1")
    return Term(spelled, needle) if spelled in TERMS and needle else Header(field, needle)


@key("BODY")
def _body(arguments: Arguments, name: str) -> Body:
    return Body(arguments.text())


@key("TEXT")
def _text(arguments: Arguments, name: str) -> Text:
    return Text(arguments.text())
