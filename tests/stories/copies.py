"""Copies of messages as a server or a client's files hold them, and what tells two such collections apart.

Messages are known by the word in their Message-ID; how they came there is no concern of this room.
"""

import collections
import re
from dataclasses import dataclass, field

DOMAIN = "day.example.com"
WORD = re.compile(rb"(?im)^Message-ID:\s*<([a-z0-9]+)@" + re.escape(DOMAIN.encode()) + rb">")
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted", "P": "$Forwarded"}
"""What the letters at the end of a Maildir's file name say."""
HEADER_BLOCK = re.compile(rb"Return-Path: <[^\r]*>\r\nReceived: (?s:.*?)\r\nX-Unitymail-Trace: (?s:.*?)\r\n(?![ \t])")
SHOWN = 8
"""So many differences of a kind are shown."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One message in one folder; `octets` with CRLF. \\Recent is no flag here."""

    folder: str
    word: str
    flags: frozenset[str]
    octets: bytes = field(repr=False)

    @property
    def place(self):
        return self.folder, self.word


def copy_of(folder, flags, octets):
    word = WORD.search(octets)
    assert word, f"a message that nobody sent is in {folder}: {octets[:300]!r}"
    return Copy(folder, word[1].decode(), frozenset(flags) - {"\\Recent"}, octets)


def as_sent(octets):
    """Without the header block that the node puts before what it is given to deliver."""
    block = HEADER_BLOCK.match(octets)
    return octets[block.end() :] if block else octets


def folders_of(box):
    """The names of all folders that can be opened, over an imaplib connection that reads names in UTF-8."""
    _, lines = box.list()
    found = [re.fullmatch(rb'\((.*?)\) "/" (?:"(.*)"|(\S+))', line) for line in lines]
    assert all(found), lines
    return [
        (quoted or bare or b"").decode().replace('\\"', '"').replace("\\\\", "\\")
        for attributes, quoted, bare in (line.groups() for line in found)
        if b"\\Noselect" not in attributes and b"\\NonExistent" not in attributes
    ]


def on_server(box):
    """(names of the folders, all copies), over an imaplib connection of its own."""
    box.enable("UTF8=ACCEPT")
    names, copies = folders_of(box), []
    for name in names:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        assert box.select(f'"{escaped}"', readonly=True)[0] == "OK"
        _, parts = box.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
        for head, octets in (part for part in parts if isinstance(part, tuple)):
            copies.append(copy_of(name, re.search(rb"FLAGS \((.*?)\)", head)[1].decode().split(), octets))
    return set(names), copies


def in_maildir(path, folder, keywords=None):
    """The copies in `cur` and `new` of one Maildir, whose program keeps lines without CR.

    `keywords`: what letters of that program say.
    """
    meanings = LETTERS | (keywords or {})
    copies = []
    for file in (*(path / "cur").iterdir(), *(path / "new").iterdir()):
        letters = file.name.partition(":2,")[2]
        octets = re.sub(rb"(?<!\r)\n", b"\r\n", file.read_bytes())
        copies.append(copy_of(folder, {meanings[letter] for letter in letters if letter in meanings}, octets))
    return copies


def compare(found, expected, *, plain=bytes, flags=None):
    """AssertionError that names what is lost, doubled, out of place, flagged otherwise or not the same octets.

    `plain`: what of the octets must be the same. `flags`: only these are compared.
    """
    complaints = []
    places, wanted = (collections.Counter(copy.place for copy in copies) for copies in (found, expected))
    for what, some in (("missing", wanted - places), ("too many", places - wanted)):
        if some:
            complaints.append(f"{some.total()} {what}: {sorted(some)[:SHOWN]}")
    right = {copy.place: copy for copy in expected}
    pairs = [(copy, right[copy.place]) for copy in found if copy.place in right]
    kept = flags if flags is None else frozenset(flags)
    for what, some in (
        ("flagged otherwise", [(copy, other) for copy, other in pairs if _of(copy, kept) != _of(other, kept)]),
        ("altered", [(copy, other) for copy, other in pairs if plain(copy.octets) != plain(other.octets)]),
    ):
        if some:
            complaints.append(f"{len(some)} {what}: {some[:SHOWN]}")
            complaints.extend(_where(plain(copy.octets), plain(other.octets)) for copy, other in some[:1])
    assert not complaints, "\n".join(complaints)


def _of(copy, flags):
    return copy.flags if flags is None else copy.flags & flags


def _where(one, other):
    """The first place where octets differ."""
    at = next((at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), None)
    at = min(len(one), len(other)) if at is None else at
    start = max(0, at - 60)
    return f"at {at} of {len(one)} and {len(other)}: {one[start : at + 60]!r}, {other[start : at + 60]!r}"
