"""What a search means later: sequence numbers and `$` as they were when it was made (RFC 5267, 4.3).

Pure; refuses to know who looks again, and when.
"""

from __future__ import annotations

from unitymail.imap.search import mask
from unitymail.imap.search.keys.ages import Older, Younger
from unitymail.imap.search.keys.flags import Flag
from unitymail.imap.search.keys.modseq import ChangedSince
from unitymail.imap.search.keys.sets import Numbers, Uids
from unitymail.imap.search.tree import And, Key, Not, Or, leaves
from unitymail.imap.view import View
from unitymail.imap.wire.sequence import MAX_NUMBER, SequenceSet, Span


def pinned(tree: Key, view: View) -> Key:
    """The tree with UIDs for all that has its meaning from the view as it is now."""
    if isinstance(tree, And):
        return And(tuple(pinned(key, view) for key in tree.keys))
    if isinstance(tree, Or):
        return Or(tuple(pinned(key, view) for key in tree.keys))
    if isinstance(tree, Not):
        return Not(pinned(tree.key, view))
    if isinstance(tree, Numbers):
        return _uids(view, mask.spans(view.saved) if tree.numbers.dollar else tree.numbers.spans_of_numbers(len(view)))
    if isinstance(tree, Uids):
        return _uids(view, mask.spans(view.saved)) if tree.uids.dollar else Uids(_without_star(tree.uids, view))
    return tree


def _uids(view: View, spans: list[Span]) -> Uids:
    return Uids(SequenceSet(tuple((view.uids[begin], view.uids[end - 1]) for begin, end in spans)))


def _without_star(uids: SequenceSet, view: View) -> SequenceSet:
    """A range up to `*` takes in what comes later."""
    if not uids.star:
        return uids
    start = min(uids.star, view.uids[-1] if len(view) else 1)
    return SequenceSet(tuple(SequenceSet(uids.ranges, start).finite(MAX_NUMBER)))


def ages(tree: Key) -> bool:
    """Whether messages come to match, or cease to, because time goes by."""
    return any(isinstance(leaf, Older | Younger) for leaf in leaves(tree))


def follows_flags(tree: Key) -> bool:
    """Whether a message can come to match, or cease to, while it stays where it is."""
    return any(isinstance(leaf, Flag | ChangedSince) for leaf in leaves(tree))
