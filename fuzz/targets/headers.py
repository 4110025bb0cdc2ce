"""Header fields and what people read of them: no octet lost, nothing that ends a line comes out, the limits hold."""

from __future__ import annotations

import unicodedata

from fuzz.octets import vectors
from unitymail.mail import parameters
from unitymail.mail.dates import read_date
from unitymail.mail.headers import decode, fields, first, readable
from unitymail.mail.lexical import LONGEST_FIELD, unfold, unquoted, without_comments
from unitymail.mail.parameters import MOST_PARAMETERS, octets_of, text_of
from unitymail.mail.structure import scan

WORDS = [
    b"=?utf-8?q?=C3=A9?=", b"=?utf-8?b?w6k=?=", b"=?iso-2022-jp?B?GyRCJUYbKEI=?=", b"=?utf-16?b?//4K?=", b"=?x?q?",
    b"?=",
    b"=?utf-8*en?q?=0D=0A?=", b"=?utf-7?q?+AAo-?=", b"; name*0*=utf-8''", b"; name*1=", b"; name*10=", b'="', b"%0D%0A",
    b"\r\n ", b"\r\n\t", b"\n", b"\0", b"(", b")",
    b"\\", b"text/plain", b"; charset=", b"Mon, 10 Mar 2014 09:15:22 -0400",
    b"Subject: ", b"Date: ", b"Content-Type: ", b"\xc3\xa9", b"\xff", b"=?punycode?q?a?=", b"=?idna?q?a?=",
    b"=?unicode_escape?q?=5Cu000a?=", b"=?hz?q?~{?=", b"=?base64?q?x?=",
]
SEEDS = [message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" for message in vectors()] + [
    b"Subject: =?utf-8?q?a?= =?utf-8?q?=C3?= =?utf-8?q?=A9?=\r\n\r\n",
    b"Content-Disposition: attachment; filename*1*=%20b; filename*0*=utf-8'en'a\r\n\r\n",
    b"Date: (a (b)) Mon, 10 Mar 14 09:15:22 EST (c)\r\n\r\n",
]


def one(data: bytes) -> None:
    root = scan(data).root
    found = fields(data, root.start, root.body)
    blank = data[root.start : root.body][sum(len(field.raw) for field in found) :]
    assert b"".join(field.raw for field in found) + blank == data[: root.body] and blank in (b"", b"\n", b"\r\n")
    seen: dict[bytes, bytes] = {}
    for field in found:
        if field.name:
            seen.setdefault(field.name.lower(), field.value)
    for name, value in list(seen.items())[:20]:
        told = first(data, root, name)
        assert told is not None and told.rstrip(b"\r\n") == value.rstrip(b"\r\n")
    for _, value in list(readable(data, root))[:20]:
        _check_value(value)
    _check_value(data)


def _check_value(raw: bytes) -> None:
    line = unfold(raw)
    assert len(line) <= LONGEST_FIELD and b"\r\n" not in line[:-1]
    assert len(without_comments(line)) <= len(line) and len(unquoted(line)) <= len(line)
    text = decode(raw)
    assert not set(text) & set("\r\n\0")
    unicodedata.normalize("NFC", text)
    _check_parameters(raw)
    if (moment := read_date(raw)) is not None:
        assert -1_000_000_000_000 < moment.seconds < 1_000_000_000_000
        assert isinstance(moment.day, int)
    assert octets_of(text_of(raw)) == raw


def _check_parameters(raw: bytes) -> None:
    media = parameters.media_type(raw)
    word, listed = parameters.disposition(raw)
    assert word == word.lower() and parameters.word(raw) == parameters.word(raw).lower()
    assert media.type and media.subtype
    for named in (media.parameters, listed):
        assert len(named) <= MOST_PARAMETERS
        for name, _ in named:
            plain = name.partition("*")[0]
            value = parameters.value_of(named, plain)
            assert value is None or len(value) <= len(raw)
            parameters.raw_value_of(named, plain)
