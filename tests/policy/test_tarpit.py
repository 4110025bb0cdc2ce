"""Which mistakes cost time, and how much."""

import pytest

from unitymail.policy.tarpit import FREE, MOST_S, held_back_s, is_mistake


def test_the_wait_grows_and_has_a_bound():
    """The first three are free; from the fourth on each waits longer, up to five seconds."""
    waits = [held_back_s(mistakes) for mistakes in range(40)]
    assert waits[: FREE + 1] == [0.0] * (FREE + 1)
    assert waits[FREE + 1 : FREE + 4] == [0.5, 1.0, 1.5]
    assert waits == sorted(waits) and waits[-1] == MOST_S == 5.0


@pytest.mark.parametrize(
    ("verb", "code", "known", "counts"),
    [
        ("?", 500, True, True), ("MAIL", 501, True, True), ("STARTTLS", 502, True, True), ("RCPT", 503, True, True),
        ("AUTH", 504, True, True), ("MAIL", 555, True, True), ("RCPT", 550, False, True), ("RCPT", 550, True, False),
        ("MAIL", 530, False, True), ("MAIL", 530, True, False), ("MAIL", 550, True, False), ("RCPT", 452, False, False),
        ("DATA", 550, False, False), ("DATA", 554, False, False), ("AUTH", 535, False, False),
        ("RCPT", 421, False, False),
    ],
)  # fmt: skip
def test_what_counts(verb, code, known, counts):
    """Wrong commands of anybody; refused senders and recipients of strangers only; never what may pass later."""
    assert is_mistake(verb, code, known) is counts
