"""An event is one line of text or JSON, whatever a peer puts into it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from unitymail.journal.wording import LONGEST_VALUE, as_json, as_text, clean


@given(st.text())
def test_any_value_stays_on_one_line(value):
    """No character that a peer sends starts a new line, in text or in JSON."""
    assert len(as_text(0, "info", "event", {"value": value}).splitlines()) == 1
    line = as_json(0, "info", "event", {"value": value})
    assert line.count("\n") == 1
    assert json.loads(line)["value"] == (value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "…")


def test_a_value_without_end_is_cut_in_either_form():
    """A header field may have 64 KB, and a line of the log has none of that; numbers and lists stay what they are."""
    for render in (as_text, as_json):
        assert len(render(0, "info", "event", {"message_id": "\x01" * 65_536, "size": 7})) < 7 * LONGEST_VALUE
    line = json.loads(as_json(0, "info", "event", {"message_id": "m" * 501, "size": 7, "removed": ("a", "b")}))
    assert (line["message_id"], line["size"], line["removed"]) == ("m" * 500 + "…", 7, ["a", "b"])


@given(st.text(max_size=400))
def test_clean_values_can_be_told_apart(value):
    """A quoted value reads back to what it was."""
    text = clean(value)
    assert (json.loads(text) if text.startswith('"') else text) == value
