"""Readable text from a header field body: RFC 2047 encoded words, raw UTF-8 (RFC 6532), and 8-bit of any kind.

Knows how senders break these rules; refuses to know fields. Linear, and nothing raises.
"""

from __future__ import annotations

import re
from binascii import a2b_qp

from unitymail.mail.charsets import to_text
from unitymail.mail.lexical import LONGEST_FIELD, unfold
from unitymail.mail.transfer import from_base64

_WORD = re.compile(rb"=\?([^?\s]{1,64})\?([BbQq])\?([^?\r\n]*+)\?=")


def decode_words(value: bytes, charset: str = "") -> str:
    """An unfolded value as text. `charset` is tried for raw 8-bit that is not UTF-8.

    White space between two encoded words goes; neighbours of one charset are decoded together, because some senders
    cut a character in two.
    """
    if b"=?" not in value:
        return _raw_text(value, charset)
    text = []
    run: list[bytes] = []
    run_charset = ""
    position = 0
    for found in _WORD.finditer(value):
        between = value[position:found.start()]
        position = found.end()
        charset_of_word = found[1].partition(b"*")[0].decode("latin-1").lower()
        neighbours = bool(run) and not between.strip(b" \t")
        if not neighbours or charset_of_word != run_charset:
            text.append(to_text(b"".join(run), run_charset))
            run.clear()
        if not neighbours:
            text.append(_raw_text(between, charset))
        run.append(_octets_of_word(found[2], found[3]))
        run_charset = charset_of_word
    text.append(to_text(b"".join(run), run_charset))
    text.append(_raw_text(value[position:], charset))
    return "".join(text)


def _octets_of_word(encoding: bytes, content: bytes) -> bytes:
    if encoding in b"Bb":
        return from_base64(content)
    return a2b_qp(content, header=True)


def _raw_text(octets: bytes, charset: str) -> str:
    """UTF-8 first whatever is declared: a body's charset says little about its header."""
    if octets.isascii():
        return octets.decode("ascii")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return to_text(octets, charset)


def decode(raw: bytes, charset: str = "") -> str:
    """A field body as stored, for people to read: unfolded, decoded, without line ends or NUL."""
    if raw.isascii() and b"=?" not in raw and len(raw) <= LONGEST_FIELD:
        text = raw.strip().decode("ascii")
        if text.isprintable():
            return text
    return on_one_line(decode_words(unfold(raw), charset))


def on_one_line(text: str) -> str:
    """Without line ends and NUL, which encoded words may hold too."""
    if text.isprintable():
        return text
    return text.replace("\r", " ").replace("\n", " ").replace("\0", "")
