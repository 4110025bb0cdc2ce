"""Where answers find their thread is checked as well: a message id that leads nowhere is led back."""

import pytest

from tests.store.checking.test_examination import five, mended, sql
from tests.store.house import message
from unitymail.store.checking import examine

__all__ = ["five"]


def answered(house, number):
    """The threads of a message and of an answer that comes now."""
    answer = message(9).replace(b"Subject: number 9", b"In-Reply-To: <%d@test.example>\r\nSubject: Re: number %d"
                                % (number, number))  # fmt: skip
    house.append(house.inbox, octets=answer)
    uids = house.inbox.refresh().uids
    threads = dict(house.inbox.rows(uids, ["threadid"]))
    return threads[number + 1], threads[uids[-1]]


@pytest.mark.parametrize(
    ("statement", "words"),
    [("DELETE FROM thread_of_tie WHERE thread = (SELECT min(thread) FROM threads)", "1 message id leads answers to"),
     ("UPDATE thread_of_tie SET thread = 7", "message ids lead answers to no thread that is there")],
)  # fmt: skip
def test_message_ids_that_lead_nowhere(five, statement, words):
    """An answer joins the message that it answers, as if nothing had been wrong."""
    sql(five, statement)
    mended(five, "threads", words)
    for number in (0, 1):
        first, answer = answered(five, number)
        assert first == answer


def test_a_thread_that_lost_a_message(five):
    """What another message has in common with it still counts: nothing is wrong, and nothing is to be mended."""
    first, answer = answered(five, 1)
    five.inbox.store([2], "add", ["\\Deleted"])
    five.inbox.expunge()
    five.store.settle()
    assert first == answer
    assert examine(five.account).findings == ()
