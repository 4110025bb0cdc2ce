"""What a folder keeps of each message so that FETCH and SEARCH need no file: ENVELOPE and BODYSTRUCTURE as wire bytes.

Knows RFC 3501 7.4.2 to the letter; refuses to know commands, folders and the index. Garbage in, well-formed out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from unitymail.mail.dates import read_date
from unitymail.mail.headers import decode, parted_fields, readable
from unitymail.mail.lexical import LONGEST_HEADER, unfold, unquoted, without_comments
from unitymail.mail.mailboxes import Entry, entries
from unitymail.mail.parameters import Parameters, octets_of, value_of
from unitymail.mail.part import Extension, Kind, Octets, Part
from unitymail.mail.structure import Structure
from unitymail.mail.text import fold

KEPT_FIELDS = frozenset(
    b"""
    from to cc bcc sender reply-to subject date message-id in-reply-to references return-path received
    mime-version content-type content-transfer-encoding content-class content-language content-description
    importance priority precedence x-priority x-msmail-priority sensitivity message-context
    disposition-notification-to return-receipt-to auto-submitted delivered-to envelope-to x-original-to
    list-id list-post list-help list-archive list-owner list-subscribe list-unsubscribe list-unsubscribe-post
    mail-followup-to mail-reply-to followup-to newsgroups lines organization user-agent x-mailer x-label keywords
    resent-from resent-to resent-cc resent-bcc resent-sender resent-date resent-message-id
    thread-index thread-topic x-unitymail-trace x-unity-secure
    x-tuid x-offlineimap x-k9mail-identity x-calendar-attachment chat-version autocrypt-setup-message
    x-microsoft-original-message-id x-mailing-list x-beenthere x-loop x-list mailing-list originator
    bimi-indicator bimi-location x-bimi-indicator-hash authentication-results dkim-signature received-spf
    x-account-key x-identity-key x-mozilla-keys x-mozilla-status x-uidl x-universally-unique-identifier
    x-uniform-type-identifier x-apple-base-url x-spam-status x-spam-flag x-spam-score x-spam-level
    """.split()
)
"""What Outlook, Thunderbird, Apple Mail, K-9, Evolution, mutt and mbsync ask for with HEADER.FIELDS; lower case.

A request for names that are all in here is answered without the file, also when the message has none of them.
"""

_PLAIN = re.compile(rb"[ !#-\[\]-~]{0,1024}")
_AS_QUOTED = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]{0,1024}", re.DOTALL)
_ESCAPED = re.compile(rb'(["\\])')


class Summary(NamedTuple):
    """`fields`: the raw KEPT_FIELDS in message order, as stored. `terms`: what SEARCH looks through (see `_known_of`).

    `sent`: Unix seconds of the Date field, None when it is no date.
    """

    envelope: bytes
    bodystructure: bytes
    fields: bytes
    terms: str
    sent: int | None


_Named = dict[bytes, list[bytes]]
_ENVELOPE_FIELDS = frozenset(
    b"date subject from sender reply-to to cc bcc in-reply-to message-id".split()
)
_SHORT_FIELD = 250
_SHORT_HEADER = 2_000
_NOBODY = (b"NIL", "")


def summarise(buffer: Octets, structure: Structure) -> Summary:
    """Everything at once, from one look at the header."""
    root = structure.root
    kept, named = _sorted_out(buffer[root.start:root.body])
    moment = read_date(named[b"date"][0]) if b"date" in named else None
    written, terms = _known_of(named)
    return Summary(written, _body(buffer, root, extensible=True), kept, terms, moment.seconds if moment else None)


def _sorted_out(header: bytes) -> tuple[bytes, _Named]:
    """(the raw KEPT_FIELDS, the bodies of those that ENVELOPE is made of)."""
    kept: list[bytes] = []
    named: _Named = {}
    interpreted = LONGEST_HEADER
    for whole, written, raw in parted_fields(header):
        name = written.lower()
        if name in KEPT_FIELDS:
            kept.append(whole)
            if name in _ENVELOPE_FIELDS and interpreted > 0:
                if name in named:
                    named[name].append(raw)
                else:
                    named[name] = [raw]
        interpreted -= len(whole)
    return b"".join(kept), named


def envelope(buffer: Octets, part: Part) -> bytes:
    """ENVELOPE of the message whose root is `part`, ready for the wire."""
    named: _Named = {}
    for name, raw in readable(buffer, part):
        if name in _ENVELOPE_FIELDS:
            named.setdefault(name, []).append(raw)
    return _known_of(named)[0]


def body_of(buffer: Octets, part: Part) -> bytes:
    """BODY, the form without extension data."""
    return _body(buffer, part, extensible=False)


def nstring(value: bytes | None) -> bytes:
    """NIL, a quoted string, or a literal where a quoted string cannot carry the octets; NUL has no form and goes."""
    if value is None:
        return b"NIL"
    if _PLAIN.fullmatch(value):
        return b'"' + value + b'"'
    if b"\0" in value:
        value = value.replace(b"\0", b"")
    if _AS_QUOTED.fullmatch(value):
        return b'"' + _ESCAPED.sub(rb"\\\1", value) + b'"'
    return b"{%d}\r\n%b" % (len(value), value)


@lru_cache(maxsize=256)
def _token(text: str) -> bytes:
    """A word that `parameters` read, at most 127 characters of a token."""
    return nstring(text.encode("ascii"))


def _known_of(named: _Named) -> tuple[bytes, str]:
    """(ENVELOPE, what SEARCH looks through): the latter are five lines, decoded and folded: From, To, Cc, Bcc, Subject
    (repeats joined by a comma).
    """
    get = named.get
    sender, from_term = _correspondents(get(b"from"))
    to, to_term = _correspondents(get(b"to"))
    cc, cc_term = _correspondents(get(b"cc"))
    bcc, bcc_term = _correspondents(get(b"bcc"))
    subject, subject_term = _subject(get(b"subject"))
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        _text(get(b"date")),
        subject,
        sender,
        _or(get(b"sender"), sender),
        _or(get(b"reply-to"), sender),
        to,
        cc,
        bcc,
        _text(get(b"in-reply-to")),
        _text(get(b"message-id")),
    ), f"{from_term}\n{to_term}\n{cc_term}\n{bcc_term}\n{subject_term}"


def _or(raws: list[bytes] | None, otherwise: bytes) -> bytes:
    """RFC 3501: an absent or empty Sender or Reply-To is the From."""
    if raws is None:
        return otherwise
    given = _correspondents(raws)[0]
    return otherwise if given == b"NIL" else given


def _text(raws: list[bytes] | None) -> bytes:
    if raws is None:
        return b"NIL"
    raw = raws[0]
    if len(raw) <= _SHORT_FIELD and _PLAIN.fullmatch(value := raw.strip()):
        return b'"' + value + b'"'
    return nstring(unfold(raw))


def _subject(raws: list[bytes] | None) -> tuple[bytes, str]:
    """In ENVELOPE, and as a search term."""
    if raws is None:
        return _NOBODY
    if len(raws) == 1 and len(raws[0]) <= _SHORT_FIELD and b"=?" not in raws[0]:
        value = raws[0].strip()
        if _PLAIN.fullmatch(value):
            return b'"' + value + b'"', value.decode("ascii").upper()
    return _text(raws), _term(raws)


def _term(raws: Iterable[bytes]) -> str:
    return fold(", ".join([decode(raw) for raw in raws]))


def _correspondents(raws: list[bytes] | None) -> tuple[bytes, str]:
    """The addresses of a field in ENVELOPE, and as a search term. People write again, in the same words."""
    if raws is None:
        return _NOBODY
    return _listed_again(raws[0]) if len(raws) == 1 and len(raws[0]) <= _SHORT_FIELD else _listed(*raws)


def _listed(*raws: bytes) -> tuple[bytes, str]:
    found = b"".join([_address(entry) for raw in raws for entry in entries(raw)])
    return b"(" + found + b")" if found else b"NIL", _term(raws)


_listed_again = lru_cache(maxsize=2_048)(_listed)


def _address(entry: Entry) -> bytes:
    """(name adl mailbox host). A missing domain is an empty host: NIL there would mean a group."""
    name, route, local, domain, group = entry
    if group == "end":
        return b"(NIL NIL NIL NIL)"
    if name is not None and route is None and not group and _PLAIN.fullmatch(name + local + domain):
        return b'("%b" NIL "%b" "%b")' % (name, local, domain)
    if b'"' in local:
        local = b"".join([unquoted(word) for word in _WORDS.findall(local)])
    if group:
        return b"(NIL NIL %b NIL)" % nstring(local)
    return b"(%b %b %b %b)" % (nstring(name), nstring(route), nstring(local), nstring(domain))


_WORDS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^"]++', re.DOTALL)


def _body(buffer: Octets, part: Part, *, extensible: bool) -> bytes:
    """At most 70 levels deep: the limits of `structure` hold here too."""
    if part.type == "multipart":
        inside = b"".join([_body(buffer, child, extensible=extensible) for child in part.children])
        if not extensible:
            return b"(%b %b)" % (inside, _token(part.subtype))
        tail = _tail(part.disposition, part.disposition_parameters, part.language, part.location)
        return b"(%b %b %b %b)" % (inside, _token(part.subtype), _parameters(part.parameters), tail)
    words = _words_again if part.body - part.start <= _SHORT_HEADER else _words
    before, after = words(part.kind, part.extension)
    basic = b"%b %d" % (before, part.end - part.body)
    if part.type == "text":
        basic += b" %d" % part.lines
    elif part.is_message and part.subtype == "rfc822":
        child = part.children[0]
        basic += b" %b %b %d" % (envelope(buffer, child), _body(buffer, child, extensible=extensible), part.lines)
    return basic + after if extensible else basic + b")"


def _words(kind: Kind, extension: Extension) -> tuple[bytes, bytes]:
    """What stands before and behind the numbers of a single part."""
    type, subtype, parameters, encoding, disposition, disposition_parameters = kind
    content_id, description, language, location, md5 = extension
    if type == "text" and subtype == "plain" and value_of(parameters, "charset") is None:
        parameters = (*parameters, ("charset", "us-ascii"))  # RFC 2046 4.1.2: what plain text has that names none
    return (
        b"(%b %b %b %b %b %b" % (
            _token(type), _token(subtype), _parameters(parameters), _field(content_id), _field(description),
            _token(encoding),
        ),
        b" %b %b)" % (_field(md5), _tail(disposition, disposition_parameters, language, location)),
    )  # fmt: skip


_words_again = lru_cache(maxsize=256)(_words)


def _parameters(pairs: Parameters) -> bytes:
    if not pairs:
        return b"NIL"
    return b"(%b)" % b" ".join([nstring(octets_of(text)) for pair in pairs for text in pair])


def _field(raw: bytes | None) -> bytes:
    return b"NIL" if raw is None else nstring(unfold(raw))


def _tail(word: str, parameters: Parameters, language: bytes | None, location: bytes | None) -> bytes:
    """Disposition, language and location: the extension data that single parts and multiparts share."""
    disposition = b"(%b %b)" % (_token(word), _parameters(parameters)) if word else b"NIL"
    return b"%b %b %b" % (disposition, _languages(language), _field(location))


def _languages(raw: bytes | None) -> bytes:
    if raw is None:
        return b"NIL"
    tags = [tag for tag in (t.strip() for t in without_comments(unfold(raw)).split(b",")) if tag]
    if not tags:
        return b"NIL"
    return nstring(tags[0]) if len(tags) == 1 else b"(%b)" % b" ".join(nstring(tag) for tag in tags)
