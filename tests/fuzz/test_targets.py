"""What must hold of every octet a stranger sends, tried on mail of all kinds, on what once broke it, and on noise.

The checks are those of `fuzz/targets`; there a machine looks for new paths for as long as it is let.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.target import CORPUS, kept, load, names

EVERY = [load(name) for name in names()]
KEPT = [(target, path) for target in EVERY for path in kept(target.name)]
PARSERS = {
    "addresses", "headers", "imap_assembly", "imap_session", "imap_words", "mailbox_names", "mime", "process_words",
    "proxy", "recoding",
    "relay_replies", "reports", "scram", "sensitivity", "smtp_auth", "smtp_commands", "smtp_framing", "smtp_session",
    "summary",
    "vpim", "xunitymail",
}


def nearly(target):
    """Octets that are nearly what the target expects: its words, pieces of its seeds, and noise, in any order."""
    pieces = st.one_of(
        st.sampled_from(target.words),
        st.binary(max_size=6),
        st.builds(
            lambda seed, start, length: seed[start : start + length],
            st.sampled_from(target.seeds), st.integers(0, 400), st.integers(1, 200),
        ),
    )
    return st.lists(pieces, max_size=12).map(b"".join)


def by_name(target):
    return target.name


def test_every_parser_that_strangers_reach_has_a_target():
    """A target that goes missing is missed, and so is one that has nothing to begin with."""
    assert set(names()) >= PARSERS
    assert [target.name for target in EVERY if not target.seeds or not target.words] == []
    assert [target.name for target in EVERY if not target.doc.strip()] == []


@pytest.mark.parametrize("target", EVERY, ids=by_name)
def test_what_is_expected(target):
    """Good mail, honest commands, and the tricks that are known."""
    for seed in (b"", *target.seeds):
        target.one(seed)


@pytest.mark.parametrize(("target", "path"), KEPT, ids=lambda value: getattr(value, "name", None))
def test_what_once_broke_it(target, path):
    """A finding stays mended."""
    target.one(path.read_bytes())


def test_findings_belong_to_a_target():
    """No file of a finding is forgotten because its target has another name now."""
    assert {path.name for path in CORPUS.glob("*") if path.is_dir()} <= set(names())


@pytest.mark.parametrize("target", EVERY, ids=by_name)
def test_what_nobody_expects(target):
    """Pieces of the grammar in any order, and noise between them."""
    @settings(max_examples=40)
    @given(nearly(target))
    def try_it(octets):
        target.one(octets)

    try_it()
