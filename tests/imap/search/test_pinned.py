"""A search that is followed means later what it meant when it was made."""

from array import array

import pytest

from unitymail.imap.search.grammar import criteria
from unitymail.imap.search.keys.flags import Flag
from unitymail.imap.search.keys.sets import Uids
from unitymail.imap.search.pinned import ages, follows_flags, pinned
from unitymail.imap.search.tree import And, Not, Or
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.sequence import MAX_NUMBER, SequenceSet
from unitymail.interfaces.store import Snapshot


def view_of(*uids):
    zeros = array("L", [0] * len(uids))
    return View(Snapshot(1, 1, 99, 1, array("L", uids), zeros, array("Q", zeros), (frozenset(),)))


def tree_of(text):
    return criteria(Reader([text.encode()]))


def uids(*ranges):
    return Uids(SequenceSet(ranges))


@pytest.mark.parametrize(("text", "tree"), [
    ("1:2", uids((3, 5))),
    ("1,3", uids((3, 3), (9, 9))),
    ("2:*", uids((5, 9))),
    ("7", uids()),
    ("$", uids((5, 5))),
    ("UID $", uids((5, 5))),
    ("UID 4:7", uids((4, 7))),
    ("UID 4:*", uids((4, MAX_NUMBER))),
    ("UID 20:*", uids((9, MAX_NUMBER))),
    ("UID 1,*", uids((1, 1), (9, MAX_NUMBER))),
    ("NOT 1", Not(uids((3, 3)))),
    ("OR SEEN (1 SEEN)", Or((Flag("\\seen"), And((uids((3, 3)), Flag("\\seen")))))),
])
def test_numbers_become_uids(text, tree):
    """Sequence numbers and `$` are those of the moment; a range of UIDs up to `*` stays open."""
    view = view_of(3, 5, 9)
    view.saved = 0b010
    assert pinned(tree_of(text), view) == tree


def test_in_an_empty_mailbox():
    """What comes first is in every open range."""
    assert pinned(tree_of("UID 5:*"), view_of()) == uids((1, MAX_NUMBER))
    assert pinned(tree_of("1:*"), view_of()) == uids()


def test_what_changes_a_result():
    """Time changes some results, flags others, and only new messages the rest."""
    texts = ("OR 1 NOT OLDER 5", "YOUNGER 9", "UNSEEN", "NOT (SUBJECT x KEYWORD y)", "MODSEQ 5", "SUBJECT x RECENT")
    assert [ages(tree_of(text)) for text in texts] == [True, True, False, False, False, False]
    assert [follows_flags(tree_of(text)) for text in texts] == [False, False, True, True, True, False]
