"""How threads are spelled."""

import re

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.thread.forest import Forest, spelled


def wire(count, roots, children):
    return spelled(Forest(count, roots, children), [b"%d" % n for n in range(count)]).decode()


def test_the_examples_of_the_rfc():
    """RFC 5256, 4 draws these trees."""
    assert wire(97, [2, 3], {3: [6], 6: [4, 44], 4: [23], 44: [7], 7: [96]}) == "(2)(3 6 (4 23)(44 7 96))"
    assert wire(6, [6], {6: [3, 5]}) == "((3)(5))"


def test_a_missing_message_with_threads_below():
    """Its children are threads of their own inside its parentheses."""
    assert wire(4, [9, 3], {9: [0, 2], 0: [1]}) == "((0 1)(2))(3)"


def test_nothing():
    """No threads are no octets."""
    assert wire(0, [], {}) == ""


def read(text):
    """The trees of a thread response, read by its grammar: (number or None, children)."""
    tokens = iter(re.findall(r"\(|\)|\d+", text))

    def until_close():
        numbers, lists = [], []
        for token in tokens:
            if token == "(":
                lists.append(until_close())
            elif token == ")":
                break
            else:
                assert not lists, "numbers come before the lists"
                numbers.append(int(token))
        assert len(lists) != 1, "a single list is written without parentheses"
        node = lists
        for number in reversed(numbers):
            node = [(number, node)]
        return node[0] if numbers else (None, lists)

    found = []
    for token in tokens:
        assert token == "("
        found.append(until_close())
    return found


@given(st.lists(st.integers(-1, 30), min_size=1, max_size=30), st.sets(st.integers(0, 29)))
def test_any_forest(parents, together):
    """What is spelled can be read again as the same trees."""
    children, roots, below = {}, [], []
    for number, parent in enumerate(parents):
        if 0 <= parent < number:
            children.setdefault(parent, []).append(number)
        elif number in together:
            below.append(number)
        else:
            roots.append(number)
    if len(below) > 1:
        children[1_000] = below
        roots.append(1_000)
    else:
        roots += below
    text = wire(len(parents), roots, children)

    def tree(number):
        return number if number < len(parents) else None, [tree(child) for child in children.get(number, ())]

    assert read(text) == [tree(root) for root in roots]
    assert "  " not in text
    assert " )" not in text
