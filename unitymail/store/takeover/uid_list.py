"""Which UID a file has at Dovecot (`dovecot-uidlist`) or Courier (`courierimapuiddb`). Refuses to know which exist.

Both begin with a line of UIDVALIDITY and next UID and have a line for each message, in ascending order of UIDs::

    3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1      1 1275660208 25022
    25006 W1052 :1276528487.M364837P9451.kurkku,S=1355          25006 1276528487.M364837P9451.kurkku

Dovecot appends to its file without writing the first line anew, and names of files that are no more stay for a while.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from unitymail.store.maildir import split

HIGHEST = 2**32 - 1
Match = Callable[[bytes], "re.Match[bytes] | None"]
_HEADER = re.compile(rb"3 (?=(?:\S+ )*V(?P<validity>\d{1,10})(?: |$))(?=(?:\S+ )*N(?P<next>\d{1,10})(?: |$))").match
_LINE = re.compile(rb"(\d{1,10})(?: .*?)?? :(.+)").fullmatch
_OLDER_HEADER = re.compile(rb"[12] (?P<validity>\d{1,10}) (?P<next>\d{1,10})$").match
_OLDER_LINE = re.compile(rb"(\d{1,10}) (.+)").fullmatch
_FORMS = ((_HEADER, _LINE), (_OLDER_HEADER, _OLDER_LINE))


@dataclass(frozen=True, slots=True)
class UidList:
    """`uids`: base name of a file → its UID, ascending; `uidnext` is above them all."""

    uidvalidity: int
    uidnext: int
    uids: dict[bytes, int]


def read(text: bytes) -> UidList | str:
    """The list, or why nothing can be made of it."""
    lines = text.split(b"\n")
    for header, line in _FORMS:
        if found := header(lines[0]):
            return _read(int(found["validity"]), int(found["next"]), line, lines[1:])
    return "its first line is none that Dovecot or Courier write"


def _read(uidvalidity: int, uidnext: int, line: Match, lines: list[bytes]) -> UidList | str:
    """Who stands there twice has the later UID: Dovecot appends when a file has come back."""
    uids: dict[bytes, int] = {}
    last = 0
    for number, text in enumerate(lines, 2):
        found = line(text)
        if found is None:
            if text and number <= len(lines):
                return f"line {number} is damaged"
            continue  # The last line may still be on its way to the disk.
        if int(found[1]) <= last:
            return f"the UIDs do not ascend (line {number})"
        last = int(found[1])
        base = split(found[2])[0]
        uids.pop(base, None)
        uids[base] = last
    if not 0 < uidvalidity <= HIGHEST or max(uidnext, last + 1) > HIGHEST:
        return "its numbers are none that IMAP knows"
    return UidList(uidvalidity, max(uidnext, last + 1), uids)
