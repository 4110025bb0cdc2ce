"""What one client has been told of its folder.

Pure: arrays and what is asked of them; refuses to know connections, stores and how news is found (``difference``). A
message that is gone stays in the view until the client may be told, so that its sequence numbers keep their meaning.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from unitymail.imap.expectation import Change, Expectation
from unitymail.imap.search import mask
from unitymail.imap.wire import response
from unitymail.interfaces.store import Snapshot

if TYPE_CHECKING:
    from unitymail.imap.difference import Difference


class View:
    """`uids` ascend, index + 1 is the sequence number; `flags` index `combinations`, the newest seen.

    The arrays are the snapshot's own while nothing is withheld: never change them in place. `recent` are spans
    (first, last) of UIDs that are \\Recent for this session. `saved` is the result that `$` stands for (RFC 5182), a
    `search.mask` over the view. `keywords` are those that the client has been told of. `highest_modseq`: all that
    happened up to this change has been told, so that whoever comes back with it misses nothing; it stands still once
    flags have changed `unheard`, since the client did not want to hear of them.
    """

    __slots__ = (
        "_rendered", "combinations", "flags", "highest_modseq", "keywords", "modseqs", "recent", "saved", "snapshot",
        "uids", "unheard", "withheld",
    )  # fmt: skip

    def __init__(self, snapshot: Snapshot, recent: Iterable[tuple[int, int]] = ()) -> None:
        self.snapshot = snapshot
        self.uids = snapshot.uids
        self.flags = snapshot.flags
        self.modseqs = snapshot.modseqs
        self.combinations = snapshot.combinations
        self.keywords = snapshot.keywords
        self.highest_modseq = snapshot.highest_modseq
        self.withheld = False
        self.unheard = False
        self.saved = 0
        self.recent: list[tuple[int, int]] = []
        for first, last in recent:
            self.add_recent(first, last)
        self._rendered: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self.uids)

    def sequence_of(self, uid: int) -> int:
        """The sequence number of a UID; 0 when the client knows of no such message."""
        at = bisect_left(self.uids, uid)
        return at + 1 if at < len(self.uids) and self.uids[at] == uid else 0

    def uid_at(self, sequence: int) -> int:
        """The UID at a sequence number; IndexError outside 1 to the count."""
        if sequence < 1:
            raise IndexError(sequence)
        return self.uids[sequence - 1]

    # \Recent

    def add_recent(self, first: int, last: int) -> None:
        """Note a claimed span (IFolder.claim_recent); an empty one is (1, 0)."""
        if first > last:
            return
        if self.recent and self.recent[-1][1] + 1 == first:
            self.recent[-1] = (self.recent[-1][0], last)
        else:
            self.recent.append((first, last))

    def is_recent(self, uid: int) -> bool:
        return any(first <= uid <= last for first, last in self.recent)

    def recent_count(self) -> int:
        return sum(bisect_right(self.uids, last) - bisect_left(self.uids, first) for first, last in self.recent)

    # Flags

    def flags_octets(self, combination: int, recent: bool) -> bytes:
        """The flag list of a combination, rendered once: an index keeps its meaning while the folder is open."""
        key = combination * 2 + recent
        found = self._rendered.get(key)
        if found is None:
            flags = self.combinations[combination]
            found = self._rendered[key] = response.flag_list((*flags, "\\Recent") if recent else flags)
        return found

    def first_unseen(self) -> int:
        """The sequence number of the first message without \\Seen; 0 for none."""
        return first_without(self.flags, self.combinations, "\\Seen") + 1

    def take_flags(
        self,
        snapshot: Snapshot,
        uids: Sequence[int],
        change: Change | None = None,
        flags: Iterable[str] = (),
    ) -> None:
        """Believe `snapshot` about the flags of `uids` (ascending), as the client does after STORE.SILENT.

        With `change`, only where it explains what the flags are now: what another session did meanwhile is told.
        """
        self.combinations = snapshot.combinations
        expected = Expectation(snapshot.combinations, change, frozenset(flags))
        mine, modseqs = self.flags[:], self.modseqs[:]
        span = self._run_of(uids) if self.uids == snapshot.uids else slice(0)
        if expected.meets_all(mine[span], snapshot.flags[span]) and span.stop:
            mine[span], modseqs[span] = snapshot.flags[span], snapshot.modseqs[span]
            self.flags, self.modseqs = mine, modseqs
            return
        at = there = 0
        for uid in uids:
            at = bisect_left(self.uids, uid, at)
            there = bisect_left(snapshot.uids, uid, there)
            if at == len(self.uids) or there == len(snapshot.uids):
                break
            if self.uids[at] == uid == snapshot.uids[there] and expected.meets(mine[at], snapshot.flags[there]):
                mine[at], modseqs[at] = snapshot.flags[there], snapshot.modseqs[there]
        self.flags, self.modseqs = mine, modseqs

    def _run_of(self, uids: Sequence[int]) -> slice:
        """Where `uids` stand, if they stand side by side; else an empty slice that stops at 0."""
        begin = self.sequence_of(uids[0]) - 1 if uids else -1
        end = begin + len(uids)
        together = begin >= 0 and self.uids[begin:end] == array(self.uids.typecode, uids)
        return slice(begin, end) if together else slice(0)

    def differs(self, snapshot: Snapshot, *, expunges: bool) -> bool:
        """Whether there may be something to tell; cheap when there is not."""
        if snapshot.serial != self.snapshot.serial or (self.withheld and expunges):
            return True
        return not self.withheld and self.flags is not snapshot.flags and self.flags != snapshot.flags

    def become(self, told: Difference) -> None:
        """The client has been told."""
        self.snapshot = told.snapshot
        self.combinations = told.snapshot.combinations
        if self.saved and told.expunged:
            self.saved = mask.without(self.saved, [number - 1 for number in told.expunged])
        self.uids, self.flags, self.modseqs = told.uids, told.flags, told.modseqs
        if told.keywords is not None or not told.unheard:
            self.keywords = told.snapshot.keywords
        self.withheld = told.withheld
        self.unheard = self.unheard or told.unheard
        if not told.withheld and not self.unheard:
            self.highest_modseq = told.snapshot.highest_modseq


def first_without(flags: array[int], combinations: Sequence[frozenset[str]], flag: str) -> int:
    """The first index whose combination lacks `flag`; -1 for none."""
    return min((flags.index(used) for used in set(flags) if flag not in combinations[used]), default=-1)
