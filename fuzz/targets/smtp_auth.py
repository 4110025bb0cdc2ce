"""AUTH and its responses: challenges that a client can read, then a user or a refusal, in a few steps."""

from __future__ import annotations

import re

from tests.smtp.conversation import FakeLogin
from unitymail.interfaces.login import ActingForAnother, Place, SignInRefused
from unitymail.people.user import User
from unitymail.policy.sasl import BadResponse, Challenge
from unitymail.settings.site import SiteSettings
from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.sasl import begin, line_of, read_response

MOST_STEPS = 4
WORDS = [b"PLAIN", b"LOGIN", b"SCRAM-SHA-256", b"XOAUTH2", b" =", b"\n", b"*", b"AHJvYmluAHNlY3JldA==", b"cm9iaW4=",
         b"c2VjcmV0", b"biwsbj1yb2JpbixyPWFiYw==", b"\0", b"\xff"]
SEEDS = [
    b"PLAIN AHJvYmluAHNlY3JldA==", b"PLAIN\nAHJvYmluAHNlY3JldA==", b"LOGIN\ncm9iaW4=\nc2VjcmV0",
    b"LOGIN cm9iaW4=\nc2VjcmV0", b"PLAIN =\n*", b"SCRAM-SHA-256 biwsbj1yb2JpbixyPWFiYw==\nYz1iaXdzLHI9YWJjLHA9",
    b"PLAIN Y2hyaXMAcm9iaW4Ac2VjcmV0",
]
_PLACE = Place("smtp", "submission", "192.0.2.7", True)
_SITE = SiteSettings()
_line = re.compile(rb"334 (?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\r\n").fullmatch


def one(data: bytes) -> None:
    conversation = _converse(data)
    try:
        conversation.send(None)
    except StopIteration:
        return
    raise AssertionError("nothing here has to wait")


async def _converse(data: bytes) -> None:
    argument, *lines = data.split(b"\n")
    try:
        exchange, response = begin(argument.decode("utf-8", "replace"), FakeLogin(), _PLACE, _SITE)
        for step in range(MOST_STEPS + 1):
            assert step < MOST_STEPS, "an exchange has an end"
            answer = await exchange.answer(response)
            if not isinstance(answer, Challenge):
                assert isinstance(answer, User)
                return
            assert _line(line_of(answer))
            if not lines:
                return
            response = read_response(lines.pop(0))
    except BadSyntax as bad:
        assert 500 <= bad.reply.code < 600
    except (BadResponse, ActingForAnother, SignInRefused):
        return
