"""What a client may ask to be told of its message (RFC 3461)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.conversation import LETTER, Conversation
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.routing.steps import Deliver, Report
from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.dsn import read_envid, read_notify, read_orcpt, read_ret


@pytest.mark.parametrize(
    ("read", "value", "wanted"),
    [
        (read_ret, "full", "FULL"), (read_ret, "HDRS", "HDRS"),
        (read_envid, "QQ314159", "QQ314159"), (read_envid, "a+2Bb+3Dc+20d", "a+b=c d"),
        (read_notify, "never", {"NEVER"}), (read_notify, "SUCCESS,Failure", {"SUCCESS", "FAILURE"}),
        (read_orcpt, "rfc822;Bob@Example.COM", "rfc822;Bob@Example.COM"), (read_orcpt, "x400;/S+3Dx", "x400;/S=x"),
        (read_orcpt, "utf-8;ana\\x{EF}s@x.example", "utf-8;anaïs@x.example"),
        (read_orcpt, "utf-8;anaïs@x.example", "utf-8;anaïs@x.example"),
    ],
)
def test_values(read, value, wanted):
    """Each parameter is read as RFC 3461 and 6533 write it."""
    assert read(value) == wanted


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (read_ret, None), (read_ret, "SOME"), (read_envid, None), (read_envid, ""), (read_envid, "a+0D+0Ab"),
        (read_envid, "a+2"), (read_envid, "a+2b"), (read_envid, "x" * 101), (read_envid, "é"), (read_envid, "a+E9"),
        (read_notify, None), (read_notify, ""), (read_notify, "NEVER,SUCCESS"), (read_notify, "SUCCESS,SUCCESS"),
        (read_notify, "MAYBE"), (read_orcpt, None), (read_orcpt, "robin@x.example"), (read_orcpt, ";x"),
        (read_orcpt, "rfc822;"), (read_orcpt, "rfc822;a+0Ab"), (read_orcpt, "rfc822;" + "x" * 500),
        (read_orcpt, "utf-8;\\x{0A}"), (read_orcpt, "utf-8;\\x{D800}"), (read_orcpt, "utf-8;\\x{FFFFFF}"),
    ],
)
def test_values_that_cannot_be(read, value):
    """A wrong value is 501 5.5.4, not ignored."""
    with pytest.raises(BadSyntax) as refused:
        read(value)
    assert refused.value.reply.octets().startswith(b"501 5.5.4")


@given(st.sampled_from([read_ret, read_envid, read_notify, read_orcpt]), st.text())
def test_nothing_that_breaks_a_line_comes_out(read, value):
    """Whatever is sent, a report can hold what was understood."""
    try:
        found = read(value)
    except BadSyntax:
        return
    assert "".join(found).isprintable()


def test_what_was_asked_is_kept_and_honoured():
    """The envelope keeps the parameters, and a success that was asked for is reported."""
    c = Conversation().greeted()
    assert "DSN" in c.say("EHLO client.example")
    c.say(
        "MAIL FROM:<robin@vm1.example.com> RET=HDRS ENVID=QQ1",
        "RCPT TO:<chris@vm1.example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@old.example",
        "RCPT TO:<nobody@vm1.example.com> NOTIFY=NEVER", "DATA",
    )
    c.send(LETTER + b".\r\n")
    message = c.spool.committed[0]
    assert message.envelope == Envelope(
        "robin@vm1.example.com",
        (
            Recipient("chris@vm1.example.com", frozenset({"SUCCESS", "FAILURE"}), "rfc822;c@old.example"),
            Recipient("nobody@vm1.example.com", frozenset({"NEVER"})),
        ),
        ret="HDRS", envid="QQ1",
    )
    deliver, report = message.decision.steps
    assert isinstance(deliver, Deliver) and isinstance(report, Report)
    assert [(fate.address, fate.action, fate.orcpt) for fate in report.fates] == [
        ("chris@vm1.example.com", "delivered", "rfc822;c@old.example")
    ]
