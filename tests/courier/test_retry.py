"""When the courier tries again."""

from unitymail.courier.retry import delay


def test_the_schedule():
    """1, 2, 5, 10, 20, 40, 60 minutes, then hourly."""
    assert [delay(n) / 60 for n in range(1, 11)] == [1, 2, 5, 10, 20, 40, 60, 60, 60, 60]


def test_no_attempt_counts_as_the_first():
    """A strange count is no reason to fail."""
    assert delay(0) == delay(-5) == 60
