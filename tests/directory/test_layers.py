"""The layered mapping behaves as a dict does, and old pictures stay whole."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.directory import layers
from unitymail.directory.layers import Layers

KEYS = st.sampled_from("abcdefgh")
STEPS = st.lists(st.tuples(st.lists(KEYS), st.dictionaries(KEYS, st.integers(1, 99))), max_size=8)


@given(st.dictionaries(KEYS, st.integers(1, 99)), STEPS, st.sampled_from([1, 3, 100]))
def test_it_agrees_with_a_dict(base, steps, fold_above):
    """Whatever is removed and put in, look-ups, values and size are those of a plain dict, folded or not."""
    usual, layers.FOLD_ABOVE = layers.FOLD_ABOVE, fold_above
    try:
        ours, model = Layers(dict(base)), dict(base)
        for gone, new in steps:
            before, then = ours, dict(model)
            ours = ours.changed(gone, new)
            for key in gone:
                model.pop(key, None)
            model.update(new)
            assert {key: ours.get(key) for key in "abcdefgh"} == {key: model.get(key) for key in "abcdefgh"}
            assert sorted(ours.values()) == sorted(model.values())
            assert len(ours) == len(model)
            assert {key: before.get(key) for key in "abcdefgh"} == {key: then.get(key) for key in "abcdefgh"}
    finally:
        layers.FOLD_ABOVE = usual


def test_nothing_changed_costs_nothing():
    """A change without keys gives back the mapping itself."""
    ours = Layers({"a": 1})
    assert ours.changed((), {}) is ours
