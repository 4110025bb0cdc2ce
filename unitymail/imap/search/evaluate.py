"""The search itself: source after source, each asked only about the messages that the ones before left open.

Knows the order and the blocks; refuses to know what any key means. Rows and messages are read in threads.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

from unitymail.imap.letter import Letters
from unitymail.imap.search import mask
from unitymail.imap.search.leaf import (
    ORDER,
    UNSURE,
    YES,
    ContentProbe,
    Leaf,
    RowColumn,
    RowProbe,
    Verdicts,
    ViewProbe,
    WordsProbe,
)
from unitymail.imap.search.rows import judge_holding, judge_rows, stand_together
from unitymail.imap.search.tree import Key, bounds, decide, leaves
from unitymail.imap.search.words import Words
from unitymail.imap.view import View
from unitymail.interfaces.store import IFolder

ROWS = 1000
NARROW_ROWS = 4000
"""Where nearly all rows are passed over by the index itself."""
MOST_NEEDLES = 8
CONTENT_OCTETS = 262_144
"""Messages are read until so many octets have been looked at; then the thread lets others in."""
THOUGHT = 100_000
"""Messages times keys that are thought about in the reactor: about a millisecond."""

Run = Callable[..., Awaitable[Any]]
Progress = Callable[..., None]
Judge = Callable[..., Sequence[Verdicts]]


def _unheard(done: int | None = None, goal: int | None = None) -> None:
    """Nobody wants to know how far the search is."""


async def search(
    tree: Key, view: View, folder: IFolder, run: Run, letters: Letters, progress: Progress = _unheard
) -> int:
    """The set of matching messages, as a `mask` over the view. `run` calls a function in a thread.

    progress: called now and then; with (done, of how many) while messages are read, which is what takes long.
    """
    found = Search(tree, view, folder, letters)
    for source in found.sources:
        if source == "view":
            await found.think(run, found.ask_view)
        elif source == "words":
            await found.ask_words(run)
        elif source == "content":
            await found.ask_content(run, progress)
        else:
            await found.ask_rows(source, run, progress)
        await found.think(run, found.settle)
        if found.settled:
            break
    return found.matching


class Search:
    """What is known so far: a verdict for each leaf and message, and the messages still open."""

    def __init__(self, tree: Key, view: View, folder: IFolder, letters: Letters) -> None:
        self._tree, self._view, self._folder, self._letters = tree, view, folder, letters
        self._count = len(view)
        self._probes = {leaf: {probe.source: probe for probe in leaf.probes()} for leaf in leaves(tree)}
        self._verdicts: dict[Leaf, Verdicts] = {leaf: bytearray([UNSURE]) * self._count for leaf in self._probes}
        self.matching = 0
        self._open = mask.everything(self._count)

    @property
    def sources(self) -> list[str]:
        """Those that the tree needs, cheapest first."""
        needed = {source for probes in self._probes.values() for source in probes}
        return [source for source in ORDER if source in needed]

    @property
    def settled(self) -> bool:
        """Whether no message is left open."""
        return not self._open

    async def think(self, run: Run, step: Callable[[], None]) -> None:
        """Take a step of pure computing: at once when it is short, in a thread when many keys meet many messages."""
        if self._count * len(self._probes) <= THOUGHT:
            step()
        else:
            await run(step)

    def settle(self) -> None:
        """Draw conclusions from the verdicts."""
        known = {leaf: (mask.surely(v), mask.possibly(v)) for leaf, v in self._verdicts.items()}
        surely, possibly = bounds(self._tree, mask.everything(self._count), known.__getitem__)
        self.matching |= surely & self._open
        self._open &= possibly & ~surely

    def ask_view(self) -> None:
        for leaf, probes in self._probes.items():
            probe = probes.get("view")
            if isinstance(probe, ViewProbe):
                self._verdicts[leaf] = probe.judge(self._view)

    async def ask_rows(self, source: str, run: Run, progress: Progress = _unheard) -> None:
        asked: dict[tuple[RowColumn, ...], list[tuple[Leaf, RowProbe]]] = {}
        for leaf, probes in self._probes.items():
            probe = probes.get(source)
            if isinstance(probe, RowProbe):
                asked.setdefault(probe.columns, []).append((leaf, probe))
        indexes = mask.chosen(self._open, range(self._count))
        for columns, pairs in asked.items():
            narrow = len(pairs) <= MOST_NEEDLES and all(probe.holding for _, probe in pairs)
            judge, rows = (judge_holding, NARROW_ROWS) if narrow else (judge_rows, ROWS)
            for begin in range(0, len(indexes), rows):
                block = indexes[begin : begin + rows]
                await run(self._ask, judge, columns, pairs, block)
                progress()

    def _ask(
        self, judge: Judge, columns: tuple[RowColumn, ...], pairs: list[tuple[Leaf, RowProbe]], block: Sequence[int]
    ) -> None:
        """In a thread: many keys about many rows are much to note."""
        judged = judge(self._folder, self._uids_at(block), columns, [probe for _, probe in pairs])
        for (leaf, _), verdicts in zip(pairs, judged, strict=True):
            self._note(leaf, block, verdicts)

    def _uids_at(self, indexes: Sequence[int]) -> array[int]:
        uids = self._view.uids
        if stand_together(indexes):
            return uids[indexes[0] : indexes[-1] + 1]
        return array(uids.typecode, map(uids.__getitem__, indexes))

    def _note(self, leaf: Leaf, block: Sequence[int], verdicts: Verdicts) -> None:
        """Only what the leaf was unsure of: an earlier answer stands."""
        kept = self._verdicts[leaf]
        assert isinstance(kept, bytearray)
        if stand_together(block) and UNSURE not in verdicts:
            before = kept[block[0] : block[-1] + 1]
            if before.count(UNSURE) == len(before):
                kept[block[0] : block[-1] + 1] = verdicts
                return
        for at, verdict in zip(block, verdicts, strict=True):
            if kept[at] == UNSURE:
                kept[at] = verdict

    async def ask_words(self, run: Run) -> None:
        """Nothing is known where there is no full-text index, or where it has not come to a message yet."""
        indexes = mask.chosen(self._open, range(self._count))
        if not indexes:
            return
        uids = self._uids_at(indexes)
        for leaf, probes in self._probes.items():
            probe = probes.get("words")
            if isinstance(probe, WordsProbe):
                ask = partial(self._folder.word_verdicts, uids, probe.needle, body_only=probe.body_only)
                verdicts = await run(ask)
                if verdicts:
                    await self.think(run, partial(self._note, leaf, indexes, verdicts))

    async def ask_content(self, run: Run, progress: Progress = _unheard) -> None:
        indexes = mask.chosen(self._open, range(self._count))
        matching: list[int] = []
        done = 0
        while done < len(indexes):
            read, more = await run(self._read, indexes, done)
            matching += more
            done += read
            progress(done, len(indexes))
        self.matching |= mask.from_indexes(matching, self._count)
        self._open = 0

    def _read(self, indexes: Sequence[int], begin: int) -> tuple[int, list[int]]:
        """In a thread: some messages from `begin` on; how many, and which of them match: none that has left by now."""
        now = self._folder.snapshot.uids
        matching = []
        octets = read = place = 0
        for at in islice(indexes, begin, None):
            read += 1
            uid = self._view.uids[at]
            place = bisect_left(now, uid, place)
            content = self._folder.content(uid) if uid in now[place : place + 1] else None
            if content is None:
                continue
            try:
                octets += content.size
                if self._matches(at, content):
                    matching.append(at)
            finally:
                content.close()
            if octets >= CONTENT_OCTETS:
                break
        return read, matching

    def _matches(self, at: int, content: Any) -> bool:
        words = Words(self._letters.letter(self._view.uids[at], content))
        asked: dict[Leaf, bool] = {}

        def of_leaf(leaf: Leaf) -> bool | None:
            verdict = self._verdicts[leaf][at]
            return asked.get(leaf) if verdict == UNSURE else verdict == YES

        def ask(leaf: Leaf) -> bool:
            probe = self._probes[leaf].get("content")
            asked[leaf] = isinstance(probe, ContentProbe) and probe.judge(words)
            return asked[leaf]

        return decide(self._tree, of_leaf, ask)
