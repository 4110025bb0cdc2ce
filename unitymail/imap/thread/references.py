"""THREAD=REFERENCES (RFC 5256, 3): links by message id, then threads of one subject put together.

Knows steps 4 to 6; steps 1 to 3 are ``links``. Messages are taken in the order of their sent dates, so that every set
of siblings comes out sorted. Linear but for that sorting.
"""

from __future__ import annotations

from collections.abc import Sequence

from unitymail.imap.sort.order import ordered
from unitymail.imap.thread.forest import Forest
from unitymail.imap.thread.links import NONE, parents_of
from unitymail.imap.thread.tied import Tied


def by_references(tied: Tied, sent: Sequence[int]) -> Forest:
    """Of messages in the order of the mailbox; `sent` in Unix seconds."""
    by_date = ordered([sent], [False])
    forest = _planted(parents_of(tied), by_date)
    rank = [0] * len(by_date)
    for place, message in enumerate(by_date):
        rank[message] = place
    return _gathered(forest, tied, rank)


def _planted(parents: Sequence[int], by_date: Sequence[int]) -> Forest:
    """Step 4, and all that step 6 has to sort but for what step 5 moves."""
    count = len(parents)
    roots: list[int] = []
    children: dict[int, list[int]] = {}
    for message in by_date:
        parent = parents[message]
        if parent == NONE:
            roots.append(message)
        elif parent in children:
            children[parent].append(message)
        else:
            children[parent] = [message]
            if parent >= count:
                roots.append(parent)
    lonely = {root: children.pop(root)[0] for root in roots if root >= count and len(children[root]) == 1}
    return Forest(count, [lonely.get(root, root) for root in roots] if lonely else roots, children)


def _gathered(forest: Forest, tied: Tied, rank: Sequence[int]) -> Forest:
    """Steps 5 and 6; `rank` is by sent date."""
    count, children = forest.count, forest.children
    heads = [root if root < count else children[root][0] for root in forest.roots]
    subjects = [tied.subjects[head] for head in heads]
    table = _subject_table(forest, subjects, tied.replies)
    roots: list[int] = []
    dummies: dict[int, int] = {}
    unsorted: set[int] = set()
    fresh = max(count, max(forest.roots, default=0)) + 1
    for root, subject in zip(forest.roots, subjects, strict=True):
        target = table[subject] if subject else root
        if target == root or root in dummies:
            roots.append(root)
            continue
        moved = children.pop(root) if root >= count else [root]
        if target < count and not (tied.replies[moved[0]] and not tied.replies[target]):
            dummies[target] = table[subject] = fresh + len(dummies)
            target, moved = table[subject], [target, *moved]
        children.setdefault(target, []).extend(moved)
        unsorted.add(target)
    if not unsorted:
        return forest
    for node in unsorted:
        children[node].sort(key=rank.__getitem__)
    roots = [dummies.get(root, root) for root in roots]
    roots.sort(key=lambda root: rank[root] if root < count else rank[children[root][0]])
    return Forest(count, roots, children)


def _subject_table(forest: Forest, subjects: Sequence[int], replies: Sequence[int]) -> dict[int, int]:
    """5.A and B: the thread that others of its subject are merged with: a dummy if there is one, else no reply."""
    table: dict[int, int] = {}
    for root, subject in zip(forest.roots, subjects, strict=True):
        known = table.setdefault(subject, root)
        if known < forest.count and (root >= forest.count or (replies[known] and not replies[root])):
            table[subject] = root
    return table
