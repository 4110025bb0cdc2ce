"""Making envelope files durable, and those anew of which a flush failed. Refuses to know why somebody needs them so.

Note *A flush fails once*. After an error of the disk Linux takes what it could not write for written: the next flush of
that file does well, and says nothing of what was lost. So such a file counts as lost until what it says was written to
another one, flushed, and given its name. With names it is different: a file system that cannot write its own records
takes no more changes (ext4, XFS, Btrfs), and the flush of a directory fails again and again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from unitymail.interfaces.disk import IDisk
from unitymail.spool.items import Items
from unitymail.spool.places import Places

FLUSHED_ONE_BY_ONE = 64


class Durable:
    """Any thread, one at a time. `renew` writes the envelope of a trace anew, flushed; it raises OSError.

    `trouble(what, error)` hears of flushes that failed.
    """

    def __init__(
        self, *, places: Places, disk: IDisk, items: Items, renew: Callable[[str], None],
        trouble: Callable[[str, BaseException], None],
    ) -> None:
        self._places = places
        self._disk = disk
        self._items = items
        self._renew = renew
        self._trouble = trouble
        self._lost: set[str] = set()

    def make(self, traces: Collection[str]) -> set[str]:
        """Return once these items, as far as they are there, would survive a power cut, and those that are gone not.

        Those of which the files could be neither flushed nor written anew; they are seen to again the next time.
        """
        there = {trace for trace in traces if os.path.exists(self._items.envelope_path(trace))}
        self._lost -= set(traces) - there
        names_too = False
        if len(there) > FLUSHED_ONE_BY_ONE:
            names_too = self._flush_together(there)
        else:
            self._flush_each(there - self._lost)
        renewed = self._renew_all(sorted(self._lost & there))
        if traces and (renewed or not names_too):
            self._disk.flush_directory(self._places.items)
        return self._lost & there

    def _flush_together(self, traces: set[str]) -> bool:
        """Whether all is durable, names included."""
        try:
            self._disk.flush_filesystem(self._places.items)
        except OSError as error:  # of any of them, then
            self._lost |= traces
            self._trouble("making the envelopes of items durable; they are written anew", error)
            return False
        return True

    def _flush_each(self, traces: Iterable[str]) -> None:
        for trace in traces:
            try:
                with suppress(FileNotFoundError):
                    self._items.flush(trace)
            except OSError as error:
                self._lost.add(trace)
                self._trouble(f"making the envelope of {trace} durable; it is written anew", error)

    def _renew_all(self, traces: Iterable[str]) -> bool:
        """Whether any could be."""
        count = 0
        for trace in traces:
            try:
                with suppress(FileNotFoundError):
                    self._renew(trace)
            except OSError as error:
                self._trouble(f"writing the envelope of {trace} anew; it is tried again", error)
            else:
                self._lost.discard(trace)
                count += 1
        return count > 0
