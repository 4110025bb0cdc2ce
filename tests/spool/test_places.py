"""Names of the spool's files."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.spool.places import is_trace, maildir_name, parent_of


def test_the_name_in_every_mailbox():
    """Seconds, trace, host and size; what Maildir forbids in a host is escaped."""
    assert maildir_name("t1", 12.9, "vm1.example.com", 305) == "12.t1.vm1.example.com,S=305"
    assert maildir_name("t1", 12.9, "a/b:c,d", 1) == "12.t1.a\\057b\\072c\\054d,S=1"


def test_parents():
    """A report's trace leads to its message's."""
    assert parent_of("t1-r0") == "t1"
    assert parent_of("t1") == ""


@given(st.text(max_size=70))
def test_traces_are_safe_names(text):
    """Whatever passes is one plain file name without dots."""
    if is_trace(text):
        assert text.isascii()
        assert "/" not in text
        assert "." not in text
        assert text.replace("-", "").isalnum()
