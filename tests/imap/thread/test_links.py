"""Who is whose parent."""

from unitymail.imap.thread import links
from unitymail.imap.thread.links import NONE, parents_of
from unitymail.imap.thread.tied import Tied
from unitymail.mail.ties import Ties


def parents(*messages):
    return parents_of(Tied([Ties(own, 0, False, tuple(references)).packed() for own, *references in messages]))


def test_parents():
    """By references; through ids that nobody has; to the topmost of these where there is nothing else."""
    assert parents([1], [2, 1], [3, 1, 2]) == [NONE, 0, 1]
    assert parents([1], [3, 1, 2]) == [NONE, 0]
    top = parents([3, 1, 2], [4, 1])
    assert top[0] == top[1] >= 2


def test_no_loops():
    """Two that each claim to answer the other, and one that answers itself, make no circle."""
    assert parents([1, 2], [2, 1]) == [1, NONE]
    assert parents([1, 1]) == [NONE]
    assert parents([1, 2, 1]) == [NONE]
    assert parents([1, 2, 3, 1], [3, 2], [2, 3]) == [NONE, 2, NONE]


def test_patience(monkeypatch):
    """A link whose walk would be too long is not made; one that needs no walk, or a short one, always is."""
    mails = ([1, *range(50, 80)], [91, 90], [90, 79])
    assert parents(*mails)[1:] == [2, parents(*mails)[0]]
    monkeypatch.setattr(links, "WALKS", 0)
    monkeypatch.setattr(links, "PATIENCE", 29)
    assert parents(*mails)[1:] == [2, NONE]
    assert parents(mails[0], [91, 90], [90, 60])[2] != NONE
    assert parents(*([n, n - 1] for n in range(2, 300))).count(NONE) == 0
