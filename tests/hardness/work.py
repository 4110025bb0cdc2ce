"""How much work something is, so that a busy machine cannot fail a test: calls and octets of memory, counted."""

import sys
import tracemalloc


def calls(function, *args):
    """Calls of functions, those of C too, that `function(*args)` comes to."""
    count = 0

    def noted(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(noted)
    try:
        function(*args)
    finally:
        sys.setprofile(before)
    return count


def peak(function, *args):
    """Octets that are held at most, beyond what was held before."""
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        function(*args)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def assert_linear(function, made, size):
    """Twice as much input is about twice as much work; `made(n)` gives an input of n pieces."""
    small, large = made(size), made(2 * size)
    function(made(8))  # what is found out once only is no part of it
    one, two = calls(function, small), calls(function, large)
    assert two <= 2.5 * one + 2_000, f"{size} pieces: {one:,} calls, {2 * size}: {two:,}"
