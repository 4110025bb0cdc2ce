"""Times in order, much of which may no longer count: in order all the same, and no call takes long."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.spool.times import MOVED, SPARE, Times


class Register:
    """Who counts, and how often that was asked."""

    def __init__(self):
        self.living, self.asked = set(), 0
        self.times = Times(self.counts)

    def counts(self, entry):
        self.asked += 1
        return entry in self.living

    def enter(self, when, name):
        self.living.add((when, name))
        self.times.enter((when, name))

    def first(self):
        while self.times.pass_over(1):
            pass
        return self.times.head()


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["enter", "leave", "pop"]))))
def test_in_order_whatever_leaves(deeds):
    """The first that counts is the earliest of all that do, while others are moved away bit by bit."""
    register = Register()
    register.times.room = 2
    for number, (when, deed) in enumerate(deeds):
        if deed == "enter":
            register.enter(when, str(number))
        elif deed == "leave" and register.living:
            register.living.remove(sorted(register.living)[when % len(register.living)])
        elif deed == "pop" and register.first() is not None:
            register.living.remove(register.times.pop())
        assert register.first() == min(register.living, default=None)


def test_entering_looks_at_few():
    """However many there are, and however many of them no longer count, one that enters costs a handful of looks."""
    register = Register()
    for number in range(30_000):
        register.asked = 0
        register.enter(float(number), f"t{number}")
        assert register.asked <= MOVED
        register.living.discard((float(number - 10), f"t{number - 10}"))


def test_what_no_longer_counts_goes():
    """Of a hundred thousand that came and went little is left, though nobody asked for the first."""
    register = Register()
    for number in range(100_000):
        register.enter(float(number), f"t{number}")
        register.living.discard((float(number - 10), f"t{number - 10}"))
    assert len(register.times) < 2 * SPARE
    assert register.first() == (99_990.0, "t99990")


def test_passing_over_has_an_end():
    """At the head no more is passed over than was asked for; what counts stays."""
    register = Register()
    for number in range(100):
        register.enter(float(number), f"t{number:02}")
    register.living -= {entry for entry in register.living if entry[0] < 80}
    assert [register.times.pass_over(most) for most in (0, -1, 50, 50, 50)] == [0, 0, 50, 30, 0]
    assert register.times.head() == (80.0, "t80")
    assert len(register.times) == 20
