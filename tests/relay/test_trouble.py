"""What replies come to for people and for programs."""

import pytest

from tests.relay.play import HOP
from unitymail.mail.reply import Reply
from unitymail.relay.trouble import (
    ABOUT_US,
    diagnostic,
    of_order,
    of_reply,
    of_some_address,
    passing,
    status_of,
    unusable,
)


def test_the_hops_own_words_are_bounded():
    """One line, whatever it said, and no longer than a report can bear."""
    assert diagnostic(Reply(550, "5.7.1", "no\nway  at\nall")) == "550 5.7.1 no way at all"
    assert len(diagnostic(Reply(550, "", "\n".join(["x" * 600] * 200)))) == 1_000


@pytest.mark.parametrize(("reply", "status"), [
    (Reply(550, "5.1.1", "x"), "5.1.1"), (Reply(452, "", "x"), "4.3.1"), (Reply(530, "", "x"), "5.7.0"),
    (Reply(556, "", "x"), "5.1.10"), (Reply(599, "", "x"), "5.0.0"), (Reply(441, "", "x"), "4.0.0"),
])  # fmt: skip
def test_status(reply, status):
    """The enhanced code, or what fits the bare one (RFC 3463, RFC 5248)."""
    assert status_of(reply) == status


def test_what_is_said_of_us_can_be_set_right():
    """A refusal of the connection, the sign-in or the missing TLS is none of the message: it waits."""
    assert [code for code in (421, 450, 530, 535, 538, 550, 554) if code in ABOUT_US] == [421, 530, 538]
    trouble = unusable(Reply(554, "5.7.1", "go away"), HOP, "the connection")
    assert (trouble.kind, trouble.status, trouble.diagnostic) == ("try-again", "4.7.1", "554 5.7.1 go away")
    assert trouble.why == "The smart host mail.example.com refused the connection." and passing("5.0.0") == "4.0.0"


def test_outcomes():
    """Taken, put off, refused: each with the host that said so."""
    found = [
        of_reply(Reply(code, "", "x"), HOP, "the message", "mx", "relayed", names_recipient=True)
        for code in (250, 451, 550)
    ]
    assert [(each.kind, each.status, each.success, each.remote_mta) for each in found] == [
        ("done", "2.0.0", "relayed", "mx"), ("try-again", "4.3.0", "", "mx"), ("failed", "5.0.0", "", "mx"),
    ]


@pytest.mark.parametrize(("status", "expected"), [
    ("5.1.1", "5.1.0"), ("4.1.1", "4.1.0"), ("5.1.2", "5.1.0"), ("5.1.3", "5.1.0"), ("5.1.4", "5.1.0"),
    ("5.1.6", "5.1.0"), ("5.1.10", "5.1.0"), ("5.1.7", "5.1.7"), ("5.1.8", "5.1.8"), ("5.2.1", "5.2.1"),
    ("5.7.1", "5.7.1"), ("5.0.0", "5.0.0"),
])  # fmt: skip
def test_nobody_is_called_unknown_for_what_is_said_of_others(status, expected):
    """Of an address something is wrong, but it need not be this recipient's; what is said of us stays."""
    assert of_some_address(status) == expected


@pytest.mark.parametrize(("reply", "expected"), [
    (Reply(503, "", "nested"), True), (Reply(503, "5.5.1", "nested"), True), (Reply(554, "", "out of step"), True),
    (Reply(554, "5.5.0", "out of step"), True), (Reply(500, "5.5.1", "what?"), True),
    (Reply(554, "5.7.1", "no"), False),
    (Reply(550, "", "no"), False), (Reply(451, "", "later"), False), (Reply(250, "", "ok"), False),
])  # fmt: skip
def test_a_matter_of_order(reply, expected):
    """A command that came too early is told from one that is refused for what it says."""
    assert of_order(reply) is expected
