"""The untagged responses that tell a difference, in the manner that the client asked for.

Knows which response says what in which mode; refuses to know when it may be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from unitymail.imap.difference import Difference
from unitymail.imap.view import View
from unitymail.imap.wire.sequence import MAX_NUMBER, compressed
from unitymail.interfaces.store import SYSTEM_FLAGS


@dataclass(frozen=True, slots=True)
class Manner:
    """How a client is to be told.

    uid: FETCH says the UID too. modseq: and the MODSEQ (RFC 7162, 3.1). vanished: VANISHED takes the place of EXPUNGE
    (RFC 7162, 3.2.10). uid_only: no sequence numbers at all (RFC 9586). recent: the client knows of \\Recent.
    """

    read_only: bool = False
    uid: bool = False
    modseq: bool = False
    vanished: bool = False
    uid_only: bool = False
    recent: bool = True

    @property
    def fetch(self) -> bytes:
        """A FETCH response for (sequence number, UID, flags, MODSEQ)."""
        if self.uid_only:
            return b"* %(uid)d UIDFETCH (" + self._items + b")\r\n"
        return b"* %(number)d FETCH (" + (b"UID %(uid)d " if self.uid else b"") + self._items + b")\r\n"

    @property
    def _items(self) -> bytes:
        return b"FLAGS %(flags)b MODSEQ (%(modseq)d)" if self.modseq else b"FLAGS %(flags)b"


PLAIN = Manner()


def octets_of(told: Difference, view: View, manner: Manner = PLAIN) -> bytes:
    """The untagged responses of a difference, for the view after `become` (and after `add_recent`)."""
    lines = list(_gone_lines(told, manner))
    if told.keywords is not None:
        lines.append(flags_lines(told.keywords, read_only=manner.read_only))
    if told.exists is not None:
        lines.append(b"* %d EXISTS\r\n" % told.exists)
        if manner.recent:
            lines.append(b"* %d RECENT\r\n" % view.recent_count())
    lines.extend(_changed_lines(told, view, manner))
    return b"".join(lines)


def _gone_lines(told: Difference, manner: Manner) -> Iterator[bytes]:
    if manner.vanished and told.vanished:
        yield vanished_line(told.vanished)
    elif not manner.vanished:
        yield from (b"* %d EXPUNGE\r\n" % number for number in told.expunged)


def vanished_line(uids: Iterable[int]) -> bytes:
    """VANISHED of messages that the client has in its view."""
    return b"* VANISHED %b\r\n" % compressed(uids)


def _changed_lines(told: Difference, view: View, manner: Manner) -> Iterator[bytes]:
    uids, flags, modseqs = told.uids, told.flags, told.modseqs
    known = {combination: view.flags_octets(combination, False) for combination in set(flags)} if told.changed else {}
    first_recent = view.recent[0][0] if view.recent else MAX_NUMBER + 1
    line = manner.fetch
    for at in told.changed:
        uid = uids[at]
        recent = uid >= first_recent and view.is_recent(uid)
        listed = view.flags_octets(flags[at], True) if recent else known[flags[at]]
        yield line % {b"number": at + 1, b"uid": uid, b"flags": listed, b"modseq": modseqs[at]}


def flags_lines(keywords: Iterable[str], *, read_only: bool = False) -> bytes:
    """What flags there are, and which the client can change for good (`\\*`: and make up)."""
    known = " ".join((*SYSTEM_FLAGS, *keywords)).encode("ascii", "replace")
    permanent = b"" if read_only else known + b" \\*"
    return b"* FLAGS (%b)\r\n* OK [PERMANENTFLAGS (%b)] These can be changed for good\r\n" % (known, permanent)
