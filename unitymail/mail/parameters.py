"""Values of the form `token; name=value; …`: Content-Type and Content-Disposition (RFC 2045 5.1, 2183, 2231).

Knows their grammar and every way it is broken; refuses to know what a type means. Linear, and nothing raises.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from unitymail.mail.charsets import to_text
from unitymail.mail.lexical import unfold, unquoted, without_comments

Parameters = tuple[tuple[str, str], ...]

MOST_PARAMETERS = 100
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,127}+"
_TYPE = re.compile(rb"(%s)[ \t]*+/[ \t]*+(%s)" % (_TOKEN, _TOKEN))
_WORD = re.compile(_TOKEN)
_PARAMETER = re.compile(
    rb';\s*+([^\s=;"]{1,255}+)[ \t]*+=[ \t]*+("[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^;]*+)', re.DOTALL
)
_TEXT_TOKEN = _TOKEN.decode("ascii")
_COMMON = re.compile(
    rf"[ \t]*+({_TEXT_TOKEN})(?:/({_TEXT_TOKEN}))?"
    rf"(?:;(?:\r?\n)?[ \t]*+({_TEXT_TOKEN})=(?:\"([ !#-'*-\[\]-~]*+)\"|({_TEXT_TOKEN})))?[ \t\r\n]*+"
)
"""A type or a disposition with no parameter or one, as nearly all mail writes them."""
_SECTION = re.compile(r"(\d{1,3})(\*?)", re.ASCII)


class MediaType(NamedTuple):
    """A Content-Type. `parameters` are raw: names in lower case, RFC 2231 pieces apart, 8-bit as surrogates.

    `sound` is False when no type could be read; then it is what RFC 2045 5.2 says to assume.
    """

    type: str
    subtype: str
    parameters: Parameters
    sound: bool = True


ASSUMED = MediaType("text", "plain", ())
_UNREADABLE = MediaType("text", "plain", (), False)


def media_type(raw: bytes) -> MediaType:
    """A Content-Type field body, as stored."""
    return _cached_media_type(raw) if len(raw) <= 160 else _read_media_type(raw)


def disposition(raw: bytes) -> tuple[str, Parameters]:
    """A Content-Disposition field body, as stored: ("attachment", parameters); ("", …) when there is no word."""
    return _cached_disposition(raw) if len(raw) <= 160 else _read_disposition(raw)


def word(raw: bytes) -> str:
    """A field that is one token, such as Content-Transfer-Encoding: in lower case, "" when it is none."""
    return _cached_word(raw) if len(raw) <= 40 else _read_word(raw)


def _read_word(raw: bytes) -> str:
    found = _WORD.match(without_comments(unfold(raw)).lstrip())
    return found[0].decode("ascii").lower() if found else ""


def _read_media_type(raw: bytes) -> MediaType:
    common = _COMMON.fullmatch(raw.decode("latin-1"))
    if common is not None and common[2]:
        return MediaType(common[1].lower(), common[2].lower(), _one_parameter(common))
    value = without_comments(unfold(raw)).lstrip()
    found = _TYPE.match(value)
    if found is None:
        return ASSUMED if value.partition(b";")[0].rstrip().lower() == b"text" else _UNREADABLE
    kind, sub = found[1].decode("ascii").lower(), found[2].decode("ascii").lower()
    return MediaType(kind, sub, _parameters(value, found.end()))


def _read_disposition(raw: bytes) -> tuple[str, Parameters]:
    common = _COMMON.fullmatch(raw.decode("latin-1"))
    if common is not None and common[2] is None:
        return common[1].lower(), _one_parameter(common)
    value = without_comments(unfold(raw)).lstrip()
    found = _WORD.match(value)
    return (found[0].decode("ascii").lower() if found else ""), _parameters(value, 0)


_cached_media_type = lru_cache(maxsize=512)(_read_media_type)
_cached_word = lru_cache(maxsize=128)(_read_word)
_cached_disposition = lru_cache(maxsize=512)(_read_disposition)


def _one_parameter(common: re.Match[str]) -> Parameters:
    name, quoted, token = common.group(3, 4, 5)
    return ((name.lower(), token if quoted is None else quoted),) if name else ()


def _parameters(value: bytes, position: int) -> Parameters:
    return tuple(
        (text_of(found[1]).lower(), text_of(unquoted(found[2].rstrip())))
        for found in islice(_PARAMETER.finditer(value, position), MOST_PARAMETERS)
    )


def text_of(octets: bytes) -> str:
    """Raw octets as text that `octets_of` turns back: ASCII and UTF-8 readable, all else as surrogates."""
    return octets.decode("utf-8", "surrogateescape")


def octets_of(text: str) -> bytes:
    """The octets that `text_of` read."""
    return text.encode("utf-8", "surrogateescape")


def value_of(parameters: Parameters, name: str) -> str | None:
    """The parameter `name` (lower case), RFC 2231 pieces joined and decoded; None when it is not there."""
    pieces: dict[int, tuple[str, bool]] = {}
    plain: str | None = None
    for key, value in parameters:
        if not key.startswith(name):
            continue
        rest = key[len(name):]
        if not rest:
            plain = value if plain is None else plain
        elif rest == "*":
            pieces.setdefault(0, (value, True))
        elif rest[0] == "*" and (section := _SECTION.fullmatch(rest, 1)):
            pieces.setdefault(int(section[1]), (value, bool(section[2])))
    if 0 in pieces:
        return _joined(pieces)
    return None if plain is None else to_text(octets_of(plain))


def raw_value_of(parameters: Parameters, name: str) -> bytes:
    """The parameter's octets, for comparing with octets of the message; b"" when it is not there."""
    for key, value in parameters:
        if key == name:
            return octets_of(value)
    return octets_of(value_of(parameters, name) or "")


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """RFC 2231 4.1: pieces 0, 1, 2 … without a gap; the charset stands in the first, if that is extended."""
    charset = ""
    octets = []
    for number in range(len(pieces)):
        if number not in pieces:
            break
        value, extended = pieces[number]
        if number == 0 and extended and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        octets.append(unquote_to_bytes(octets_of(value)) if extended else octets_of(value))
    return to_text(b"".join(octets), charset)
