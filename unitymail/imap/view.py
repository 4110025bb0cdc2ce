"""What one client has been told of its folder, and how that differs from the folder's newest snapshot.

Pure: arrays in, differences out; refuses to know connections and stores. A message that is gone stays in the view
until the client may be told, so that its sequence numbers keep their meaning.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from unitymail.imap.wire import response
from unitymail.interfaces.store import SYSTEM_FLAGS, Snapshot

BLOCK = 512
MAX_UID = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Difference:
    """What to tell, and the view's arrays once it is told.

    `expunged` are sequence numbers, descending (each is right at the moment it is sent). `exists` is None when no
    message came. `changed` are indexes into the new arrays whose flags differ. `keywords` is None when none is new.
    """

    snapshot: Snapshot
    uids: array[int]
    flags: array[int]
    modseqs: array[int]
    expunged: tuple[int, ...] = ()
    exists: int | None = None
    changed: tuple[int, ...] = ()
    keywords: tuple[str, ...] | None = None
    withheld: bool = False


class View:
    """`uids` ascend, index + 1 is the sequence number; `flags` index `combinations`, the newest seen.

    The arrays are the snapshot's own while nothing is withheld: never change them in place. `recent` are spans
    (first, last) of UIDs that are \\Recent for this session. `keywords` are those that the client has been told of.
    """

    __slots__ = ("_rendered", "combinations", "flags", "keywords", "modseqs", "recent", "snapshot", "uids", "withheld")

    def __init__(self, snapshot: Snapshot, recent: Iterable[tuple[int, int]] = ()) -> None:
        self.snapshot = snapshot
        self.uids = snapshot.uids
        self.flags = snapshot.flags
        self.modseqs = snapshot.modseqs
        self.combinations = snapshot.combinations
        self.keywords = snapshot.keywords
        self.withheld = False
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
        change: Literal["add", "remove", "replace"] | None = None,
        flags: Iterable[str] = (),
    ) -> None:
        """Believe `snapshot` about the flags of `uids` (ascending), as the client does after STORE.SILENT.

        With `change`, only where it explains what the flags are now: what another session did meanwhile is told.
        """
        self.combinations = snapshot.combinations
        expected = _Expectation(snapshot.combinations, change, frozenset(flags))
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
        self.uids, self.flags, self.modseqs = told.uids, told.flags, told.modseqs
        self.keywords = told.snapshot.keywords
        self.withheld = told.withheld


class _Expectation:
    """Whether a change of flags explains that one combination became another; remembered per pair."""

    def __init__(
        self, combinations: Sequence[frozenset[str]], change: Literal["add", "remove", "replace"] | None,
        flags: frozenset[str],
    ) -> None:
        self._combinations = combinations
        self._change = change
        self._flags = {flag.lower() for flag in flags}
        self._known: dict[tuple[int, int], bool] = {}

    def meets(self, old: int, new: int) -> bool:
        if self._change is None:
            return True
        found = self._known.get((old, new))
        if found is None:
            found = self._known[old, new] = self._after(old) == self._lowered(new)
        return found

    def meets_all(self, old: array[int], new: array[int]) -> bool:
        return all(self.meets(*pair) for pair in set(zip(old, new, strict=True)))

    def _lowered(self, combination: int) -> set[str]:
        return {flag.lower() for flag in self._combinations[combination]}

    def _after(self, combination: int) -> set[str]:
        before = self._lowered(combination)
        if self._change == "replace":
            return self._flags
        return before | self._flags if self._change == "add" else before - self._flags


def first_without(flags: array[int], combinations: Sequence[frozenset[str]], flag: str) -> int:
    """The first index whose combination lacks `flag`; -1 for none."""
    return min((flags.index(used) for used in set(flags) if flag not in combinations[used]), default=-1)


def diff(view: View, snapshot: Snapshot, *, expunges: bool) -> Difference:
    """What the client must be told; with `expunges` false the messages that are gone stay in the new arrays."""
    old = view.uids
    gone = gone_from(old, snapshot.uids)
    if gone and not expunges:
        uids, flags, modseqs, changed = _with_ghosts(view, snapshot, gone)
        expunged: tuple[int, ...] = ()
    else:
        uids, flags, modseqs = snapshot.uids, snapshot.flags, snapshot.modseqs
        kept = without(view.flags, gone)
        changed = changed_indexes(kept, flags)
        expunged = tuple(at + 1 for at in reversed(gone))
    came = len(uids) > len(old) - len(expunged)
    return Difference(
        snapshot,
        uids,
        flags,
        modseqs,
        expunged,
        len(uids) if came else None,
        tuple(changed),
        new_keywords(view, snapshot),
        bool(gone) and not expunges,
    )


def new_keywords(view: View, snapshot: Snapshot) -> tuple[str, ...] | None:
    """All keywords of the folder when some are new to the client."""
    return None if set(snapshot.keywords) <= set(view.keywords) else snapshot.keywords


def _with_ghosts(
    view: View, snapshot: Snapshot, gone: list[int]
) -> tuple[array[int], array[int], array[int], list[int]]:
    """The old messages, those that are gone too, with the newest flags of the living, and the new messages."""
    living = len(view.uids) - len(gone)
    uids = view.uids + snapshot.uids[living:]
    flags = array(view.flags.typecode)
    modseqs = array(view.modseqs.typecode)
    begin = taken = 0
    for at in (*gone, len(view.uids)):
        run = at - begin
        flags.extend(snapshot.flags[taken : taken + run])
        modseqs.extend(snapshot.modseqs[taken : taken + run])
        if at < len(view.uids):
            flags.append(view.flags[at])
            modseqs.append(view.modseqs[at])
        begin, taken = at + 1, taken + run
    changed = changed_indexes(view.flags, flags)
    flags.extend(snapshot.flags[living:])
    modseqs.extend(snapshot.modseqs[living:])
    return uids, flags, modseqs, changed


def gone_from(old: array[int], new: array[int]) -> list[int]:
    """Ascending indexes of `old` whose UIDs `new` lacks. Both ascend; what only `new` has is above all of `old`."""
    if new[: len(old)] == old:
        return []
    kept = bisect_right(new, old[-1])
    if len(old) - kept > BLOCK:
        missing = set(old).difference(new)
        return [at for at, uid in enumerate(old) if uid in missing]
    gone: list[int] = []
    i = j = 0
    while i < len(old):
        step = BLOCK
        while step and old[i : i + step] != new[j : j + step]:
            step //= 2
        if step:
            step = min(step, len(old) - i)
            i, j = i + step, j + step
        else:
            gone.append(i)
            i += 1
    return gone


def without(numbers: array[int], gone: list[int]) -> array[int]:
    """`numbers` without the ascending indexes `gone`."""
    if not gone:
        return numbers
    kept = array(numbers.typecode)
    begin = 0
    for at in gone:
        kept.extend(numbers[begin:at])
        begin = at + 1
    kept.extend(numbers[begin:])
    return kept


def changed_indexes(old: array[int], new: array[int]) -> list[int]:
    """Indexes below len(old) where the two differ; equal blocks cost one comparison."""
    count = len(old)
    if old == new[:count]:
        return []
    changed: list[int] = []
    for begin in range(0, count, BLOCK):
        mine, theirs = old[begin : begin + BLOCK], new[begin : min(begin + BLOCK, count)]
        if mine != theirs:
            changed.extend(begin + at for at, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1])
    return changed


def octets_of(told: Difference, view: View, *, with_uid: bool = False, read_only: bool = False) -> bytes:
    """The untagged responses of a difference, for the view after `become` (and after `add_recent`)."""
    lines = [b"* %d EXPUNGE\r\n" % number for number in told.expunged]
    if told.keywords is not None:
        lines.append(flags_lines(told.keywords, read_only=read_only))
    if told.exists is not None:
        lines.append(b"* %d EXISTS\r\n* %d RECENT\r\n" % (told.exists, view.recent_count()))
    lines.extend(_changed_lines(told, view, with_uid))
    return b"".join(lines)


def _changed_lines(told: Difference, view: View, with_uid: bool) -> Iterator[bytes]:
    uids, flags = told.uids, told.flags
    known = {combination: view.flags_octets(combination, False) for combination in set(flags)} if told.changed else {}
    first_recent = view.recent[0][0] if view.recent else MAX_UID + 1
    for at in told.changed:
        uid = uids[at]
        recent = uid >= first_recent and view.is_recent(uid)
        listed = view.flags_octets(flags[at], True) if recent else known[flags[at]]
        if with_uid:
            yield b"* %d FETCH (UID %d FLAGS %b)\r\n" % (at + 1, uid, listed)
        else:
            yield b"* %d FETCH (FLAGS %b)\r\n" % (at + 1, listed)


def flags_lines(keywords: Iterable[str], *, read_only: bool = False) -> bytes:
    """What flags there are, and which the client can change for good (`\\*`: and make up)."""
    known = " ".join((*SYSTEM_FLAGS, *keywords)).encode("ascii", "replace")
    permanent = b"" if read_only else known + b" \\*"
    return b"* FLAGS (%b)\r\n* OK [PERMANENTFLAGS (%b)] These can be changed for good\r\n" % (known, permanent)
