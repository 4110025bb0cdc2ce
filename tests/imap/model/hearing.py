"""Whether what a client heard is what it was to hear.

Expected lines are text in which `<name>` stands for a number, or a word, that the server chooses: the first time it is
heard it is learnt, and from then on it must be the same. `<m:mailbox:tick>` is the MODSEQ of a tick: later ticks of a
mailbox have higher ones. Words for people are nobody's business: they are cut off.
"""

import re
from bisect import bisect_left, insort
from zlib import crc32

_PLACE = re.compile(r"<([^<>]+)>")
_WORDS = re.compile(r"^(\* (?:OK|NO|BAD|BYE|PREAUTH)|[a-z]\d+ (?:OK|NO|BAD))(?: (\[[^\]]*\]))?(?: .*)?$")
_LITERAL = re.compile(r"\{(\d+)\}$")
_FETCH = re.compile(r"(\* \d+ (?:UID)?FETCH) \((.*)\)")
_ITEM = re.compile(r"[A-Z0-9.\[\]]+ (?:\([^()]*\)|[^ ()]+)")


def lines_of(text):
    """Responses a line each; a literal's octets become their checksum behind its length."""
    lines, position = [], 0
    while position < len(text):
        end = text.index("\r\n", position)
        line, position = text[position:end], end + 2
        while found := _LITERAL.search(line):
            size = int(found[1])
            line += f"{crc32(text[position : position + size].encode('latin-1')):08x}"
            end = text.index("\r\n", position + size)
            line, position = line + text[position + size : end], end + 2
        lines.append(line)
    return lines


class Mismatch(AssertionError):
    pass


class Ear:
    def __init__(self):
        self.learnt = {}
        self.ticks = {}

    def compare(self, heard, expected, what):
        """`heard` and `expected` are lines; an entry of `expected` that is a set may come in any order."""
        heard = [_canonical(line) for line in heard]
        position = 0
        for entry in expected:
            some = [_canonical(line) for line in ([entry] if isinstance(entry, str) else entry)]
            got = heard[position : position + len(some)]
            position += len(some)
            if not isinstance(entry, str):
                some, got = sorted(some, key=_shape), sorted(got, key=_shape)
            for line, real in zip(some, got, strict=False):
                if not self._fits(line, real):
                    raise Mismatch(_shown(what, heard, expected, f"{real!r} in place of {line!r}", self.ticks))
        if position != len(heard):
            why = f"{len(heard)} lines in place of {position}"
            raise Mismatch(_shown(what, heard, expected, why, self.ticks))

    def modseq(self, mailbox, tick):
        """The MODSEQ that a client has heard of for this tick, or for the last one before it that was heard of."""
        known = self.ticks.get(mailbox, [])
        at = bisect_left(known, (tick + 1,)) - 1
        return known[at] if at >= 0 else None

    def _fits(self, expected, real):
        if expected.startswith(("* FLAGS (", "* OK [PERMANENTFLAGS (")):
            return sorted(re.findall(r"[^ ()\[\]]+", expected)) == sorted(re.findall(r"[^ ()\[\]]+", real))
        names = _PLACE.findall(expected)
        pattern = "([^ ()\\[\\]]+)".join(map(re.escape, _PLACE.split(expected)[::2]))
        found = re.fullmatch(pattern, real)
        return found is not None and all(self._learn(*pair) for pair in zip(names, found.groups(), strict=True))

    def _learn(self, name, value):
        if name.startswith("m:"):
            _, mailbox, tick = name.split(":")
            return self._learn_tick(mailbox, int(tick), int(value))
        return self.learnt.setdefault(name, value) == value

    def _learn_tick(self, mailbox, tick, value):
        known = self.ticks.setdefault(mailbox, [])
        at = bisect_left(known, (tick,))
        if at < len(known) and known[at][0] == tick:
            return known[at][1] == value
        if (at and known[at - 1][1] >= value) or (at < len(known) and known[at][1] <= value):
            return False
        insort(known, (tick, value))
        return True


def _canonical(line):
    """Without words for people, and the items of a FETCH in one order."""
    if fetch := _FETCH.fullmatch(line):
        return f"{fetch[1]} ({' '.join(sorted(_ITEM.findall(fetch[2])))})"
    found = _WORDS.match(line)
    return f"{found[1]} {found[2]}" if found and found[2] else found[1] if found else line


def _shape(line):
    """To bring lines of one kind together before their numbers are known."""
    return re.sub(r"<[^<>]+>|\d+", "#", line)[:16]


def _shown(what, heard, expected, why, learnt):
    listed = [line if isinstance(line, str) else " | ".join(sorted(line)) for line in expected]
    head = [f"{what}: {why}", f"learnt: {learnt}"]
    return "\n".join([*head, "heard:", *map(repr, heard), "expected:", *map(repr, listed)])
