"""Joining keys: what is certain, what is possible, and what must still be asked."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.search import mask
from unitymail.imap.search.leaf import NO, UNSURE, YES
from unitymail.imap.search.tree import And, Not, Or, bounds, decide, leaves

NAMES = "abcd"
TREES = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=12,
)


def truth(tree, values):
    if isinstance(tree, And):
        return all(truth(k, values) for k in tree.keys)
    if isinstance(tree, Or):
        return any(truth(k, values) for k in tree.keys)
    if isinstance(tree, Not):
        return not truth(tree.key, values)
    return values[tree]


@given(TREES, st.lists(st.tuples(*[st.booleans()] * 4), max_size=20), st.lists(st.integers(0, 15), max_size=20))
def test_bounds_hold_the_truth(tree, truths, hidden):
    """Whatever verdicts are still missing, the truth lies between the two sets; with none missing they are equal."""
    count = len(truths)
    unknown = [hidden[at] if at < len(hidden) else 0 for at in range(count)]
    verdicts = {
        name: bytes(UNSURE if unknown[at] >> n & 1 else (YES if values[n] else NO) for at, values in enumerate(truths))
        for n, name in enumerate(NAMES)
    }
    known = {name: (mask.surely(v), mask.possibly(v)) for name, v in verdicts.items()}
    surely, possibly = bounds(tree, mask.everything(count), known.__getitem__)
    expected = mask.from_indexes(
        [at for at, values in enumerate(truths) if truth(tree, dict(zip(NAMES, values, strict=True)))], count
    )
    assert surely & ~expected == 0
    assert expected & ~possibly == 0
    if not any(unknown):
        assert surely == possibly == expected


@given(TREES, st.tuples(*[st.booleans()] * 4), st.integers(0, 15))
def test_decide(tree, values, hidden):
    """One message is decided rightly, and only what is not known is asked."""
    values = dict(zip(NAMES, values, strict=True))
    unknown = {name for n, name in enumerate(NAMES) if hidden >> n & 1}
    asked = []

    def ask(leaf):
        assert leaf in unknown
        asked.append(leaf)
        return values[leaf]

    assert decide(tree, lambda leaf: None if leaf in unknown else values[leaf], ask) == truth(tree, values)
    if not unknown & set(leaves(tree)):
        assert asked == []


def test_the_dear_question_is_not_asked_in_vain():
    """A key that only the file can answer is left alone when another key has settled the message."""
    def never(leaf):
        raise AssertionError(leaf)

    known = {"no": False, "yes": True}.get
    assert decide(And(("file", "no")), known, never) is False
    assert decide(Or(("file", Not("no"))), known, never) is True
    assert decide(Not(And((Or(("file", "yes")), "no"))), known, never) is True


@given(st.lists(st.sampled_from([NO, YES, UNSURE]), max_size=200))
def test_masks(verdicts):
    """Masks and lists say the same."""
    octets = bytes(verdicts)
    indexes = range(len(verdicts))
    assert mask.chosen(mask.surely(octets), indexes) == [i for i in indexes if verdicts[i] == YES]
    assert mask.chosen(mask.possibly(octets), indexes) == [i for i in indexes if verdicts[i] != NO]
    assert mask.from_indexes([i for i in indexes if verdicts[i] == YES], len(verdicts)) == mask.surely(octets)
