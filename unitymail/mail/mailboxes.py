"""Address lists of header fields (RFC 5322 3.4, with the obsolete forms), read leniently for ENVELOPE and for matching.

Knows the grammar and how mail breaks it; refuses to know whose addresses they are. Linear, and nothing raises.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from unitymail.mail.charsets import to_text
from unitymail.mail.encoded_words import decode_words, on_one_line
from unitymail.mail.lexical import LONGEST_FIELD, unfold, unquoted


class Entry(NamedTuple):
    """One entry of an address list, undecoded, as ENVELOPE wants it.

    `name` is None when there is none. `local` and `domain` are as written ("" when missing), the local part still
    quoted if it was. `group`: "" for a mailbox, "begin" (`local` holds the group's name) or "end".
    """

    name: bytes | None
    route: bytes | None
    local: bytes
    domain: bytes
    group: str = ""


class Mailbox(NamedTuple):
    """A mailbox for people and for matching: `name` decoded ("" when there is none), `address` as local@domain."""

    name: str
    address: str


_new_tuple = tuple.__new__
END_OF_GROUP = Entry(None, None, b"", b"", "end")

# The forms nearly all mail uses: `"Name" <a@b>`, `Name <a@b>`, `<a@b>`, `a@b`, alone or in a list. The groups are not
# possessive: before Python 3.11.5 (Debian 12 has 3.11.2) a possessive group keeps what its failed last turn took.
_COMMON = re.compile(
    rb"[ \t]*+(?:(\"[^\"\\\r\n]*+\"|[^\s\"(),:;<>@\[\]\\]++(?:[ \t]++[^\s\"(),:;<>@\[\]\\]++)*)?[ \t]*+"
    rb"<([^\s\"(),:;<>@\[\]\\]++)@([^\s\"(),:;<>@\[\]\\]++)>|([^\s\"(),:;<>@\[\]\\]++)@([^\s\"(),:;<>@\[\]\\]++))"
    rb"[ \t]*+(?:,|\Z)"
)
_TOKEN = re.compile(
    rb'[ \t\r\n]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"?|\[[^\]\\]*+\]?|\(|[<>,;:@]|[^\s"(),:;<>@\[]++|.', re.DOTALL
)
_INSIDE_COMMENT = re.compile(rb"[^()\\]++|\\.|[()\\]", re.DOTALL)


def entries(raw: bytes) -> list[Entry]:
    """What the body of an address field lists, groups marked; beyond 64 KiB of one field the rest is left out."""
    value = unfold(raw)
    if len(raw) > LONGEST_FIELD and b"," in value:
        value = value[:value.rindex(b",")]
    found: list[Entry] = []
    position = 0
    while position < len(value):
        common = _COMMON.match(value, position)
        if common is None:
            return _Reader(value, position, found).read()
        name, local, domain, bare, bare_domain = common.groups()
        if name is not None:
            name = unquoted(name)
        found.append(_new_tuple(Entry, (name, None, local or bare, domain or bare_domain, "")))
        position = common.end()
    return found


class _Reader:
    """The whole grammar, token by token; takes over where the common forms end."""

    def __init__(self, value: bytes, position: int, found: list[Entry]) -> None:
        self.value = value
        self.position = position
        self.found = found
        self.in_group = False
        self.forget()

    def forget(self) -> None:
        """Begin an entry: `words` before any `<`, `inside` of the brackets, the last comment."""
        self.words: list[bytes] = []
        self.inside: list[bytes] | None = None
        self.closed = False
        self.comment: bytes | None = None

    def read(self) -> list[Entry]:
        while self.position < len(self.value):
            token = _TOKEN.match(self.value, self.position)
            if token is None:
                break
            self.position = token.end()
            self.take(token[0])
        self.finish()
        if self.in_group:
            self.found.append(END_OF_GROUP)
        return self.found

    def take(self, token: bytes) -> None:
        if token == b"(":
            self.comment = self.skip_comment()
        elif token == b"<":
            if self.closed:
                self.finish()
            self.inside = []
            self.closed = False
        elif token == b">":
            self.closed = True
        elif token == b"," and not self.in_route():
            self.finish()
        elif token == b";":
            self.finish()
            if self.in_group:
                self.found.append(END_OF_GROUP)
            self.in_group = False
        elif token == b":" and self.inside is None and not self.in_group:
            self.found.append(Entry(None, None, _phrase(self.words) or b"", b"", "begin"))
            self.in_group = True
            self.forget()
        elif self.inside is not None and not self.closed:
            self.inside.append(token)
        elif self.inside is None:
            self.words.append(token)

    def in_route(self) -> bool:
        """Within `<@one,@two:user@three>` a comma separates hops, not addresses."""
        return bool(self.inside) and not self.closed and self.inside[0] == b"@"  # type: ignore[index]

    def skip_comment(self) -> bytes:
        start = self.position
        depth = 1
        while depth and (found := _INSIDE_COMMENT.match(self.value, self.position)):
            self.position = found.end()
            if found[0] == b"(":
                depth += 1
            elif found[0] == b")":
                depth -= 1
        return self.value[start:self.position - (not depth)]

    def finish(self) -> None:
        if self.inside is not None:
            name = _phrase(self.words) or self.comment
            route, local, domain = _angle([token for token in self.inside if token.strip()])
            if name or local or domain:
                self.found.append(Entry(name, route, local, domain))
        else:
            words = [token for token in self.words if token.strip()]
            if words:
                _, local, domain = _angle(words if b"@" in words else [_phrase(self.words) or b""])
                if self.comment or local or domain:
                    self.found.append(Entry(self.comment, None, local, domain))
        self.forget()


def _phrase(tokens: list[bytes]) -> bytes | None:
    """A display name: quotes taken off, white space between words as one space."""
    words: list[bytes] = []
    for token in tokens:
        if not token.isspace():
            words.append(unquoted(token))
        elif words and words[-1] != b" ":
            words.append(b" ")
    return b"".join(words).strip() or None


def _angle(tokens: list[bytes]) -> tuple[bytes | None, bytes, bytes]:
    """(route, local part, domain) of what stands in the brackets; the last `@` divides."""
    route = None
    if tokens[:1] == [b"@"] and b":" in tokens:
        colon = tokens.index(b":")
        route, tokens = b"".join(tokens[:colon]), tokens[colon + 1:]
    if b"@" not in tokens:
        return route, b"".join(tokens), b""
    at = len(tokens) - 1 - tokens[::-1].index(b"@")
    return route, b"".join(tokens[:at]), b"".join(tokens[at + 1:])


def addresses(raw: bytes) -> list[Mailbox]:
    """The mailboxes of an address field, those inside groups too, decoded; names without line ends and NUL."""
    return [
        Mailbox(on_one_line(decode_words(entry.name)) if entry.name else "", address_of(entry))
        for entry in entries(raw)
        if not entry.group
    ]


def address_of(entry: Entry) -> str:
    """`local@domain` as written; without `@` when there is no domain. 8-bit that is not UTF-8 is read as Latin-1."""
    return to_text(entry.local + b"@" + entry.domain if entry.domain else entry.local)
