"""Templates: tokens are replaced, everything else stays."""

from unitymail.people.user_template import TOKENS, filled, tokens_in


def test_tokens_are_replaced():
    """Each token by its value, as often as it stands there; unknown ones and lone percent signs stay."""
    values = {token: token.lower() for token in TOKENS}
    assert filled("%Alias%@x, %Alias% %Extension%", values) == "alias@x, alias extension"
    assert filled("100% %Nothing% %alias%", values) == "100% %Nothing% %alias%"


def test_what_is_not_known_is_empty():
    """A user without an extension leaves no token behind."""
    assert filled("%Extension%@voice", {}) == "@voice"


def test_values_are_no_tokens():
    """A name that looks like a token is a name."""
    assert filled("%FirstName%@x", {"FirstName": "%Alias%", "Alias": "robin"}) == "%Alias%@x"


def test_tokens_are_told_known_or_not():
    """Lone percent signs and what is no word are none."""
    assert tokens_in("%Alias%.%Foo%@x, 100% of %1% %%") == ("Alias", "Foo")
