"""THREAD=ORDEREDSUBJECT."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.thread.by_subject import by_subject
from unitymail.imap.thread.tied import Tied
from unitymail.mail.ties import Ties


def forest_of(messages):
    return by_subject(Tied([Ties(0, 2 * subject, bool(sent % 2), ()).packed() for subject, sent in messages]),
                      [sent for _, sent in messages])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=15))
def test_as_the_rfc_words_it(messages):
    """Sorted by subject and sent date, split where the subject changes, threads sorted by their first sent date."""
    by_both = sorted(range(len(messages)), key=lambda at: (messages[at][0], messages[at][1], at))
    threads = {}
    for at in by_both:
        threads.setdefault(messages[at][0], []).append(at)
    expected = sorted(threads.values(), key=lambda thread: (messages[thread[0]][1], thread[0]))
    forest = forest_of(messages)
    assert [[root, *forest.children.get(root, ())] for root in forest.roots] == expected


def test_no_subject_is_a_subject():
    """Messages without a subject are one thread: their base subjects are equal."""
    assert forest_of([(0, 1), (0, 0), (1, 2)]).children == {1: [0]}
