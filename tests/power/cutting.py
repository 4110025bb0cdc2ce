"""The moments at which the power may be cut, and the trees that it leaves then."""

import os
import shutil

from tests.power.recording import DROPPED, Model

DURABLE = ("flush", "flush_directory", "flush_filesystem", "sqlite", "mark")
"""Only after these can a tree with everything unflushed dropped differ from the one before."""


def brief(event):
    """An event in a few words, for the message of a failure."""
    return " ".join(str(list(part) if isinstance(part, dict) else part)[:60] for part in event)


def moments(events, variant):
    """The numbers of events after which to cut, all that can matter or an even choice of them."""
    if variant == DROPPED:
        return [n for n, event in enumerate(events, 1) if event[0] in DURABLE]
    return range(1, len(events) + 1, 4)


def cuts(events, variant, place):
    """(number of calls, root, label) for each moment: what a cut there leaves is at `root` until the next is taken."""
    model, done = Model(), 0
    for number in moments(events, variant):
        for event in events[done:number]:
            model.apply(event)
        done = number
        root = os.path.join(place, str(number))
        model.build(root, variant)
        yield number, root, (variant, number, brief(events[number - 1]))
        shutil.rmtree(root)
