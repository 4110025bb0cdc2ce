"""THREAD=REFERENCES against the RFC taken literally, and against those who would make it slow."""

import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.thread.rfc_model import Message, threads
from unitymail.imap.thread.forest import spelled
from unitymail.imap.thread.references import by_references
from unitymail.imap.thread.tied import Tied
from unitymail.mail.ties import Ties


def forest_of(messages):
    """The forest that the door would make of the model's messages."""
    subjects = {"": 0}
    packed = [
        Ties(
            0 if message.id is None else message.id + 1,
            subjects.setdefault(message.subject, 2 * len(subjects)),
            message.reply,
            tuple(name + 1 for name in message.references),
        ).packed()
        for message in messages
    ]
    return by_references(Tied(packed), [message.sent for message in messages])


def as_value(forest):
    def node(number):
        return number if number < forest.count else None, [node(child) for child in forest.children.get(number, ())]

    return [node(root) for root in forest.roots]


def wire(messages):
    return spelled(forest_of(messages), [b"%d" % number for number in range(1, len(messages) + 1)]).decode()


ids = st.integers(0, 7)
messages = st.builds(
    Message,
    id=st.one_of(st.none(), ids),
    references=st.lists(ids, max_size=5).map(tuple),
    subject=st.sampled_from(["", "a", "b", "c"]),
    reply=st.booleans(),
    sent=st.integers(0, 4),
)


@settings(max_examples=600, deadline=None)
@given(st.lists(messages, max_size=12))
def test_against_the_rfc(messages):
    """Loops, doubles, truncated references, dummies and merged subjects: all as the six steps say."""
    assert as_value(forest_of(messages)) == threads(messages)


@settings(max_examples=200, deadline=None)
@given(st.lists(messages.map(lambda m: Message(m.id, m.references, "", False, m.sent)), max_size=20))
def test_links_alone(messages):
    """The same without subjects, which would hide how ids link."""
    assert as_value(forest_of(messages)) == threads(messages)


def test_answers():
    """A message, its answer, and the answers to that."""
    mails = [Message(0), Message(1, (0,), sent=1), Message(2, (0, 1), sent=3), Message(3, (0, 1), sent=2)]
    assert wire(mails) == "(1 2 (4)(3))"
    assert wire(mails[:2]) == "(1 2)"
    assert wire(mails[::-1]) == "(4 3 (1)(2))"


def test_the_first_is_missing():
    """Answers to a message that nobody has stand side by side; a single one stands alone."""
    assert wire([Message(1, (0,)), Message(2, (0,))]) == "((1)(2))"
    assert wire([Message(1, (0,)), Message(2, (0,)), Message(3, (0, 2)), Message(4, (9,))]) == "((1)(2 3))(4)"
    assert wire([Message(3, (0, 1, 2))]) == "(1)"


def test_missing_in_the_middle():
    """The answer to a missing answer belongs to the message above."""
    assert wire([Message(0), Message(3, (0, 1)), Message(4, (0, 2), sent=1)]) == "(1 (2)(3))"


def test_subjects():
    """Threads of one subject come together: an answer below what it answers, equals side by side."""
    first, answer = Message(0, subject="a"), Message(1, subject="a", reply=True, sent=1)
    assert wire([first, answer]) == "(1 2)"
    assert wire([answer, first]) == "(2 1)"
    assert wire([first, Message(1, subject="a", sent=1)]) == "((1)(2))"
    assert wire([answer, Message(2, subject="a", reply=True)]) == "((2)(1))"
    assert wire([Message(0), Message(1)]) == "(1)(2)"


def test_truncated_references():
    """What a message itself says about its parent counts more than what others left of their references."""
    assert wire([Message(3, (1, 2)), Message(2, (0,)), Message(0)]) == "(3 2 1)"


def test_same_message_id():
    """Of two messages with one id the first has it; the other is somebody's answer or stands alone."""
    assert wire([Message(0, sent=9), Message(0), Message(1, (0,))]) == "(2)(1 3)"


def test_the_same_date():
    """Equal dates leave the order of the mailbox."""
    assert wire([Message(number) for number in range(4)]) == "(1)(2)(3)(4)"


MANY = 20_000


def took(messages):
    began = time.process_time()
    forest_of(messages)
    return time.process_time() - began


def test_deep_threads():
    """A thread as deep as the folder is long, whatever the order in which its messages came, is one chain."""
    chain = [Message(number, (number - 1,) if number else (), sent=number) for number in range(MANY)]
    expected = list(range(1, MANY + 1))
    assert wire(chain) == f"({' '.join(map(str, expected))})"
    assert wire(chain[::-1]) == f"({' '.join(map(str, expected[::-1]))})"
    mixed = random.Random(1).sample(chain, MANY)
    assert wire(mixed).count("(") == 1


def test_hostile_references():
    """Chains of thousands of ids, forwards and backwards and in circles, cost what their length costs."""
    ring = list(range(10_000))
    forwards = [Message(20_000 + n, tuple(ring)) for n in range(10)]
    backwards = [Message(30_000 + n, tuple(ring[::-1])) for n in range(10)]
    circles = [Message(40_000 + n, tuple(ring[n:] + ring[:n])) for n in range(10)]
    assert took(forwards + backwards + circles) < 2


def test_hostile_order():
    """Messages that are each taken out of one long chain and put below another are not walked along for ever."""
    count = 8_000
    heads = list(range(count))
    first, second = list(range(100_000, 100_000 + count)), list(range(200_000, 200_000 + count))
    mails = [Message(1, (*heads, *first)), Message(2, tuple(second)), *(Message(n, (second[-1],)) for n in heads[3:])]
    mails += [Message(n, (mails[0].references[-1],)) for n in reversed(second)]
    assert took(mails) < 4


def test_hostile_chain_answers_still_link():
    """When patience has run out, short walks are made all the same: honest threads beside it stay whole."""
    count = 3_000
    heads = list(range(10, 10 + count))
    second = list(range(200_000, 200_000 + count))
    attack = [Message(1, (*heads, *range(100_000, 100_000 + count))), Message(2, tuple(second))]
    attack += [Message(n, (second[-1],)) for n in heads]
    honest = [Message(500_002, (500_001,)), Message(500_001, (500_000,)), Message(500_000)]
    found = as_value(forest_of(attack + honest))
    last = len(attack) + 2
    assert (last, [(last - 1, [(last - 2, [])])]) in found
