"""Keys about flags: SEEN, UNSEEN, KEYWORD, NEW and their kin, all from the session's arrays."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from unitymail.imap.search.key import Arguments, key
from unitymail.imap.search.keys.sets import spans
from unitymail.imap.search.leaf import NO, YES, Probe, Verdicts, ViewProbe
from unitymail.imap.search.tree import And, Key, Not
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import BadSyntax

_SYSTEM = ("ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN")


@dataclass(frozen=True, slots=True)
class Flag:
    """Messages that carry it. `name` is in lower case: flags compare without regard to case."""

    name: str

    def probes(self) -> tuple[Probe, ...]:
        return (ViewProbe(self._judge),)

    def _judge(self, view: View) -> Verdicts:
        return by_combination(view.flags, [
            YES if any(flag.lower() == self.name for flag in flags) else NO for flags in view.combinations
        ])


@dataclass(frozen=True, slots=True)
class Recent:
    """Messages that are \\Recent for this session."""

    def probes(self) -> tuple[Probe, ...]:
        return (ViewProbe(self._judge),)

    def _judge(self, view: View) -> Verdicts:
        uids = view.uids
        return spans(len(view), [(bisect_left(uids, first), bisect_right(uids, last)) for first, last in view.recent])


def by_combination(flags: array[int], verdicts: list[int]) -> Verdicts:
    """The verdict of each message, given that of each combination of flags."""
    if len(verdicts) > 256:
        return bytes(map(verdicts.__getitem__, flags))
    # Fewer than 256 combinations: the low octet of each index says it all.
    low = 0 if sys.byteorder == "little" else flags.itemsize - 1
    table = bytes(verdicts) + bytes(256 - len(verdicts))
    return flags.tobytes()[low :: flags.itemsize].translate(table)


@key(*_SYSTEM)
def _has(arguments: Arguments, name: str) -> Key:
    return Flag("\\" + name.lower())


@key(*("UN" + name for name in _SYSTEM))
def _lacks(arguments: Arguments, name: str) -> Key:
    return Not(Flag("\\" + name.removeprefix("UN").lower()))


@key("KEYWORD", "UNKEYWORD")
def _keyword(arguments: Arguments, name: str) -> Key:
    arguments.reader.space()
    if arguments.reader.peek() == b"\\":
        raise BadSyntax("A keyword does not begin with a backslash")
    flag = Flag(arguments.reader.atom().lower())
    return flag if name == "KEYWORD" else Not(flag)


@key("RECENT")
def _recent(arguments: Arguments, name: str) -> Key:
    return Recent()


@key("OLD")
def _old(arguments: Arguments, name: str) -> Key:
    return Not(Recent())


@key("NEW")
def _new(arguments: Arguments, name: str) -> Key:
    return And((Recent(), Not(Flag("\\seen"))))
