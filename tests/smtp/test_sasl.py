"""AUTH on the wire of SMTP: 334 lines, base64, `=` and `*`; every mechanism, and SCRAM to its end."""

from base64 import b64decode, b64encode

import pytest

from tests.scram import Client
from tests.smtp.conversation import Conversation
from unitymail.interfaces.login import Place, SignInRefused
from unitymail.policy.sasl import Challenge
from unitymail.settings.site import SiteSettings
from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.sasl import line_of, read_response


def submission(**site):
    return Conversation(door="submission", site=SiteSettings(smtp_auth_without_tls=True, **site)).greeted()


def coded(octets):
    return b64encode(octets).decode()


def challenge_in(said):
    assert said.startswith("334 "), said
    return b64decode(said[4:].strip(), validate=True)


def test_challenges_and_responses():
    """An empty challenge has its space; a lone `=` is empty; `*` cancels; what is not base64 is said to be none."""
    assert line_of(Challenge(b"")) == b"334 \r\n"
    assert line_of(Challenge(b"Username:")) == b"334 VXNlcm5hbWU6\r\n"
    assert read_response(b"") == read_response(b"=") == b""
    assert read_response(b"cm9iaW4=") == b"robin"
    for line, code in ((b"*", 501), (b"%%%%", 501), (b"\xff", 501)):
        with pytest.raises(BadSyntax) as bad:
            read_response(line)
        assert bad.value.reply.code == code


@pytest.mark.parametrize("at_once", [True, False])
def test_scram(at_once):
    """Challenge, proof, the server's signature as one more 334, an empty line, 235 (RFC 4954 4)."""
    c, client = submission(), Client("robin", b"secret")
    if at_once:
        said = c.say(f"AUTH SCRAM-SHA-256 {coded(client.first())}")
    else:
        assert c.say("AUTH SCRAM-SHA-256") == "334 \r\n"
        said = c.say(coded(client.first()))
    said = c.say(coded(client.final(challenge_in(said))))
    assert client.believes(challenge_in(said))
    assert c.codes("MAIL FROM:<robin@vm1.example.com>") == ["501 5.5.2"]  # not signed in: that was a response
    said = c.say(f"AUTH SCRAM-SHA-256 {coded(client.first())}")
    c.say(coded(client.final(challenge_in(said))))
    assert c.codes("", "MAIL FROM:<robin@vm1.example.com>") == ["235 2.7.0", "250 2.1.0"]
    assert c.login.asked[-1] == ("scram", Place("smtp", "submission", "192.0.2.7", False))


def test_scram_refused():
    """A wrong proof gets the words of a wrong password and no signature; the third ends the connection."""
    c = submission()
    for last in (False, False, True):
        wrong = Client("robin", b"wrong")
        proof = coded(wrong.final(challenge_in(c.say(f"AUTH SCRAM-SHA-256 {coded(wrong.first())}"))))
        said = c.say(proof)
        assert said.startswith("535 5.7.8 Name or password is wrong\r\n")
        assert ("421 4.7.0" in said) == last


@pytest.mark.parametrize(
    ("kind", "code"), [("expired", "535 5.7.8"), ("not-allowed", "535 5.7.8"), ("busy", "454 4.7.0")]
)
def test_scram_refusals_by_kind(kind, code):
    """Every kind of refusal has the reply that PLAIN gets."""
    c, client = submission(), Client("robin", b"secret")
    c.login.answer = SignInRefused(kind, "")
    plain = c.say("AUTH PLAIN AHJvYmluAHNlY3JldA==")
    proof = client.final(challenge_in(c.say(f"AUTH SCRAM-SHA-256 {coded(client.first())}")))
    assert c.say(coded(proof)) == plain
    assert plain.startswith(code)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (b"p=tls-unique,,n=robin,r=abc", "501 5.5.2"), (b"n,a=chris,n=robin,r=abc", "535 5.7.8"),
        (b"x,,n=robin,r=abc", "501 5.5.2"), (b"n,,m=x,n=robin,r=abc", "501 5.5.2"), (b"n,,n=robin,r=", "501 5.5.2"),
        (b"n,,n=a=b,r=abc", "501 5.5.2"), (b"y,,n=robin,r=abc", "334"), (b"n,a=robin,n=robin,r=abc", "334"),
    ],
)  # fmt: skip
def test_scram_grammar_at_the_door(first, code):
    """Channel binding is refused as it is not offered, `y` is fine; nobody acts as another; then commands go on."""
    c = submission()
    assert c.codes(f"AUTH SCRAM-SHA-256 {coded(first)}") == [code]
    assert c.codes("*" if code == "334" else "NOOP") == ["501 5.7.0" if code == "334" else "250 2.0.0"]
    assert c.codes("NOOP") == ["250 2.0.0"]


def test_scram_cancelled_and_too_long():
    """`*` cancels at every step, after the server's signature too; a response over 12,288 octets is refused."""
    c, client = submission(), Client("robin", b"secret")
    for steps in range(3):
        said = c.say("AUTH SCRAM-SHA-256")
        if steps > 0:
            said = c.say(coded(client.first()))
        if steps > 1:
            c.say(coded(client.final(challenge_in(said))))
        assert c.codes("*", "MAIL FROM:<robin@vm1.example.com>") == ["501 5.7.0", "530 5.7.0"]
    assert c.codes("AUTH SCRAM-SHA-256", "A" * 12_400, "NOOP") == ["334", "500 5.5.6", "250 2.0.0"]
    longest = "n,,n=" + "a" * 9_000 + ",r=abc"
    assert len(coded(longest.encode())) < 12_288
    assert c.codes(f"AUTH SCRAM-SHA-256 {coded(longest.encode())}", "*") == ["334", "501 5.7.0"]


def test_scram_is_offered_while_keys_are_kept():
    """`auth.scram` off: neither shown nor known."""
    assert "AUTH PLAIN LOGIN SCRAM-SHA-256\r\n" in submission().say("EHLO a.example")
    c = submission(auth_scram=False)
    assert "AUTH PLAIN LOGIN\r\n" in c.say("EHLO a.example")
    assert c.codes("AUTH SCRAM-SHA-256") == ["504 5.5.4"]


def test_pipelined_behind_an_exchange():
    """What a client sends without waiting is judged in order; nothing is lost and nothing runs unsigned."""
    c = submission()
    assert c.codes("AUTH LOGIN", "cm9iaW4=", "c2VjcmV0", "MAIL FROM:<robin@vm1.example.com>", "RSET") == [
        "334", "334", "235 2.7.0", "250 2.1.0", "250 2.0.0",
    ]  # fmt: skip
