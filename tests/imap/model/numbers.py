"""Sets of numbers: as clients write them, and as servers do. Knows nothing of messages."""


def number_set(numbers):
    """`1:3,7`: runs that go up by one, in the order given."""
    runs = []
    for number in numbers:
        if runs and runs[-1][1] + 1 == number:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in runs)


class Numbers:
    """`3:*,7` of (3, None) and (7, 7): None is `*`, the largest number in use."""

    def __init__(self, *ranges):
        self._ranges = ranges
        self.text = ",".join(_end(a) if a == b else f"{_end(a)}:{_end(b)}" for a, b in ranges)

    def among(self, used):
        """Those of `used`, which ascend, that the set names."""
        largest = used[-1] if used else 0
        spans = [sorted(largest if end is None else end for end in ends) for ends in self._ranges]
        return {number for number in used if any(low <= number <= high for low, high in spans)}

    def goes_beyond(self, count):
        """Whether a number above `count` is named outright: `7:*` names the last message at least (RFC 3501, 9)."""
        return any(None not in ends and max(ends) > count for ends in self._ranges)

    def __contains__(self, number):
        """For UIDs that are no more: `*` is beyond all of them, so that `3:*` holds whatever comes after 3."""
        return any(low <= number <= high for low, high in (sorted(map(_far, ends)) for ends in self._ranges))


class Saved:
    """`$`: what SEARCH RETURN (SAVE) found (RFC 5182)."""

    text = "$"

    def __contains__(self, number):
        return False


class Page:
    """`1:3` from the first of what is left, `-1:-3` from the last (RFC 9394)."""

    def __init__(self, begin, end):
        self.text, self.low, self.high = f"{begin}:{end}", *sorted((abs(begin), abs(end)))
        self.from_the_end = begin < 0

    def of(self, things):
        if self.from_the_end:
            return things[::-1][self.low - 1 : self.high][::-1]
        return things[self.low - 1 : self.high]


def _end(number):
    return "*" if number is None else str(number)


def _far(number):
    return float("inf") if number is None else number
