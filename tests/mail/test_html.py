"""The words of an HTML text: markup goes, words stay, whatever the source holds."""

import time

from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.html import words_of


def words(source, **how):
    return " ".join(words_of(source, **how).split())


def test_markup_goes():
    """Tags, comments, styles, scripts and titles are not words; entities are."""
    source = (
        "<!DOCTYPE html><html><head><title>T</title><style>p { color: red }</style></head>"
        "<body><!-- no --><p>Dear <b>Rob</b>in,</p><p>caf&eacute;&nbsp;&amp; cake</p>"
        "<script>if (a<b) x()</script></body>"
    )
    assert words(source) == "Dear Robin, café & cake"


def test_blocks_part_words_and_inline_tags_do_not():
    """A paragraph, a line break and a table cell end a word; bold does not."""
    assert words("one<br>two<p>three</p>fo<i>ur</i><table><tr><td>5</td><td>6</td></table>") == "one two three four 5 6"


def test_what_is_quoted_is_left_out():
    """A reply is what its author wrote, unless all of it is asked for."""
    source = "<div>Yes.</div><blockquote>Did <blockquote>Will you?</blockquote>you?</blockquote><div>Bye</div>"
    assert words(source) == "Yes. Bye"
    assert words(source, quoted=True) == "Yes. Did Will you? you? Bye"


def test_hidden_words_stay():
    """The line that a newsletter hides for the list of messages is what a preview is for."""
    assert words('<div style="display:none">Half price</div><h1>News</h1>') == "Half price News"


def test_no_more_than_wanted():
    """Who wants the beginning need not wait for the rest."""
    source = "<p>word</p>" * 1_000
    assert len(words_of(source, most=100)) < 300
    assert words_of("x" * 500, most=100) == "x" * 500


def test_broken_markup():
    """What is never closed hides no more than a browser would hide; a lone `<` is a character."""
    assert words("a < b and 1<2 <b>c") == "a < b and 1<2 c"
    assert words("seen<style>unseen") == "seen"
    assert words("seen<!-- unseen") == "seen"
    assert words("seen <a href='unseen") == "seen"
    assert words("</blockquote>seen<head>too") == "seen too"


def test_time_grows_with_the_length():
    """Nothing that a stranger writes takes more than linear time."""
    for piece in ("<!--", "<style>", "<", "<a", "</", "<blockquote>", "&", "<svg", "&#"):
        source = piece * (131_072 // len(piece))
        begun = time.process_time()
        words_of(source)
        assert time.process_time() - begun < 1, piece


@given(st.text(alphabet="<>/!-&;abloqukctesyp= \"'\n", max_size=200), st.booleans())
def test_anything_at_all(source, quoted):
    """Any text gives text, and no more of it than there was."""
    assert len(words_of(source, quoted=quoted)) <= 2 * len(source) + 1
