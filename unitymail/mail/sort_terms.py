"""What a folder keeps of each message so that SORT need not read headers: one string a criterion, ready to compare.

Knows which string RFC 5256 and RFC 5957 want, folded by i;unicode-casemap (RFC 5051); refuses to know SORT's grammar
and the index. Strings are cut at `LONGEST`: who sends longer ones only decides how his own messages sort.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from unitymail.mail.base_subject import base_subject
from unitymail.mail.encoded_words import decode, decode_words, on_one_line
from unitymail.mail.headers import entries
from unitymail.mail.lexical import unquoted
from unitymail.mail.mailboxes import Entry, address_of
from unitymail.mail.text import fold

LONGEST = 250
_FIRST_ENTRY = 1_000
_SHORT = 120
_FIELD = re.compile(rb"\n((?i:from|to|cc|subject))[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)")
_WORDS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^"]++', re.DOTALL)
_NOBODY = ("", "")


class SortTerms(NamedTuple):
    """`subject` is the base subject; `from_`, `to` and `cc` are the addr-mailbox of the first address."""

    subject: str
    from_: str
    to: str
    cc: str
    displayfrom: str
    displayto: str


def sort_terms(fields: bytes) -> SortTerms:
    """From header fields as stored, those of `summary.KEPT_FIELDS` at least; of repeated ones the first counts."""
    named: dict[bytes, bytes] = {}
    for name, raw in _FIELD.findall(b"\n" + fields):
        named.setdefault(name.lower(), raw)
    from_, displayfrom = _address_in(named.get(b"from"))
    to, displayto = _address_in(named.get(b"to"))
    subject = fold(base_subject(decode(named[b"subject"])).text)[:LONGEST] if b"subject" in named else ""
    return SortTerms(subject, from_, to, _address_in(named.get(b"cc"))[0], displayfrom, displayto)


def _address_in(raw: bytes | None) -> tuple[str, str]:
    """Correspondents write again, in the same words: what was read last is remembered, as far as it is short."""
    if raw is None:
        return _NOBODY
    return _address_again(raw) if len(raw) <= _SHORT else _address(raw)


def _address(raw: bytes) -> tuple[str, str]:
    """(addr-mailbox, display) of the first address; a group's name is its addr-mailbox, as in ENVELOPE."""
    entry = _first(raw)
    if entry is None:
        return _NOBODY
    mailbox = b"".join(unquoted(word) for word in _WORDS.findall(entry.local))
    name = on_one_line(decode_words(entry.name)) if entry.name else ""
    if not name:
        name = decode(mailbox) if entry.group else address_of(entry._replace(local=mailbox))
    return fold(decode(mailbox))[:LONGEST], fold(name)[:LONGEST]


_address_again = lru_cache(maxsize=2_048)(_address)


def _first(raw: bytes) -> Entry | None:
    """Of a long list only the beginning is read, unless it holds no whole address."""
    found = entries(raw[:_FIRST_ENTRY])
    if len(found) < 2 and len(raw) > _FIRST_ENTRY:
        found = entries(raw)
    return found[0] if found else None
