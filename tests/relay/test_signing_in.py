"""Signing in to a smart host: what is said, what is hidden, and what happens when it is refused."""

import base64
import hashlib
import hmac
from unittest.mock import Mock

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred

from tests.fakes import InlineThreads
from tests.relay.play import HOP, REQUIRED, Play, Wire
from unitymail.relay.sasl import SaltedPasswords
from unitymail.relay.signing_in import ANSWER_S, SignIn

SECRET = b"correct horse"
PLAIN = base64.b64encode(b"\0robin\0" + SECRET).decode()


def coded(octets):
    return base64.b64encode(octets).decode()


def sign_in(threads=None, password=SECRET):
    threads = threads or InlineThreads()
    return SignIn("robin", password, threads=threads, prepared=bytes, salted=SaltedPasswords().salted)


def under_tls(*extensions, threads=None, password=SECRET, hop=REQUIRED):
    """(a client whose connection has TLS, what it says to these extensions)."""
    play = Play(hop, handshake=Mock(flaw=""), sign_in=sign_in(threads, password))
    play.greet("STARTTLS")
    play.hear("220 go on")
    return play, play.hear(*play.ehlo(*extensions))


def trouble(play):
    [found] = play.trouble
    return found


def test_plain():
    """One line, hidden in the trace."""
    play, said = under_tls("AUTH PLAIN LOGIN")
    assert said == f"AUTH PLAIN {PLAIN}\r\n"
    play.hear("235 2.7.0 welcome")
    assert play.trouble == [None] and play.client.usable
    lines = "\n".join(play.client.dialogue.lines())
    assert "C: AUTH PLAIN ****" in lines and PLAIN not in lines


def test_login():
    """Two prompts."""
    play, said = under_tls("AUTH LOGIN")
    assert said == "AUTH LOGIN\r\n"
    assert play.hear("334 VXNlcm5hbWU6") == coded(b"robin") + "\r\n"
    assert play.hear("334 UGFzc3dvcmQ6") == coded(SECRET) + "\r\n"
    play.hear("235 welcome")
    assert play.trouble == [None]
    assert coded(SECRET) not in "".join(play.client.dialogue.lines())


def scram_server(first, *, password=SECRET, cheat=False):
    """(the first challenge, what the last one must be, given the client's final message) of a SCRAM server."""
    bare = first.removeprefix(b"n,,")
    nonce = bare.split(b"r=")[1] + b"server"
    challenge = b"r=" + nonce + b",s=" + base64.b64encode(b"saltsalt") + b",i=4096"

    def last(final):
        whole = b",".join((bare, challenge, final.split(b",p=")[0]))
        salted = hashlib.pbkdf2_hmac("sha256", b"other" if cheat else password, b"saltsalt", 4096)
        return b"v=" + base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), whole, "sha256"))

    return challenge, last


def test_scram():
    """Preferred where offered; the server proves itself before it is given mail."""
    play, said = under_tls("AUTH PLAIN SCRAM-SHA-256 LOGIN")
    challenge, last = scram_server(base64.b64decode(said.removeprefix("AUTH SCRAM-SHA-256 ")))
    final = base64.b64decode(play.hear("334 " + coded(challenge)))
    assert play.hear("334 " + coded(last(final))) == "\r\n"
    play.hear("235 2.7.0 welcome")
    assert play.trouble == [None]
    assert play.client.dialogue.lines()[-6:-1] == (
        "C: AUTH SCRAM-SHA-256 ****", "S: 334 ****", "C: ****", "S: 334 ****", "C: ****",
    )


@pytest.mark.parametrize("cheat", ["signature", "none", "garbage"])
def test_a_server_that_cheats(cheat):
    """One that does not know the password gets no mail, and no second try at another address."""
    play, said = under_tls("AUTH SCRAM-SHA-256")
    challenge, last = scram_server(base64.b64decode(said.removeprefix("AUTH SCRAM-SHA-256 ")), cheat=True)
    final = base64.b64decode(play.hear("334 " + coded(challenge)))
    play.hear({"signature": "334 " + coded(last(final)), "none": "235 welcome", "garbage": "334 ???"}[cheat])
    assert trouble(play).status == "4.7.0" and not trouble(play).elsewhere
    assert "broke the sign-in" in trouble(play).why and not play.client.usable


def test_hashing_does_not_hold_the_others_up():
    """The proof is worked out in a thread; a server that hangs up meanwhile harms nobody."""

    class Slow:
        def __init__(self):
            self.asked = []

        def run(self, function, *arguments):
            self.asked.append((function, arguments, Deferred()))
            return self.asked[-1][2]

    threads = Slow()
    play, said = under_tls("AUTH SCRAM-SHA-256", threads=threads)
    challenge, _ = scram_server(base64.b64decode(said.removeprefix("AUTH SCRAM-SHA-256 ")))
    assert play.hear("334 " + coded(challenge)) == ""
    [(function, arguments, answered)] = threads.asked
    play.lose()
    assert trouble(play).status == "4.4.2"
    answered.callback(function(*arguments))
    assert play.said() == ""


@pytest.mark.parametrize(("reply", "status"), [
    ("535 5.7.8 wrong", "4.7.8"), ("535 wrong", "4.7.8"), ("454 4.7.0 no idea", "4.7.0"), ("421 4.3.2 busy", "4.3.2"),
    ("550 no", "4.0.0"),
])  # fmt: skip
def test_refused(reply, status):
    """Our password is for the operator to set right: the message waits, and no other address hears it."""
    play, _ = under_tls("AUTH PLAIN")
    assert play.hear(reply) == "QUIT\r\n"
    found = trouble(play)
    assert (found.kind, found.status, found.elsewhere, found.diagnostic) == ("try-again", status, False, reply)
    assert "sign-in as robin" in found.why


def test_another_mechanism():
    """A mechanism that is refused as such makes room for the next."""
    play, said = under_tls("AUTH PLAIN LOGIN")
    assert said.startswith("AUTH PLAIN")
    assert play.hear("504 5.5.4 not that one") == "AUTH LOGIN\r\n"
    assert play.hear("534 5.7.9 nor that one") == "QUIT\r\n"
    assert "offers no sign-in" in trouble(play).why


def test_never_in_the_clear():
    """Without TLS nothing is said, whatever is offered."""
    play = Play(HOP, sign_in=sign_in())
    assert play.greet("AUTH PLAIN LOGIN SCRAM-SHA-256") == "QUIT\r\n"
    assert "never said in the clear" in trouble(play).why
    play = Play(HOP, sign_in=sign_in())
    assert play.greet("PIPELINING") == "QUIT\r\n"
    assert "offers no sign-in that this node may use." in trouble(play).why


def test_a_server_that_nobody_verified():
    """Under TLS with whoever answers only a proof is given; what would let the password be said is told."""
    _, said = under_tls("AUTH PLAIN SCRAM-SHA-256", hop=HOP)
    assert said.startswith("AUTH SCRAM-SHA-256 ")
    play, said = under_tls("AUTH PLAIN LOGIN", hop=HOP)
    assert said == "QUIT\r\n" and "(smart_host.tls = required)" in trouble(play).why
    play, said = under_tls("AUTH PLAIN SCRAM-SHA-256", hop=HOP)
    assert play.hear("504 5.5.4 say the password instead") == "QUIT\r\n"


def test_to_this_machine(monkeypatch):
    """Loopback needs no TLS, as our own doors need none from there."""
    monkeypatch.setattr(Wire, "getPeer", lambda self: IPv4Address("TCP", "127.0.0.1", 25))
    assert Play(HOP, sign_in=sign_in()).greet("AUTH PLAIN SCRAM-SHA-256").startswith("AUTH SCRAM-SHA-256 ")
    assert Play(HOP, sign_in=sign_in()).greet("AUTH PLAIN").startswith("AUTH PLAIN ")
    assert Play(HOP, sign_in=sign_in()).greet("AUTH LOGIN") == "AUTH LOGIN\r\n"


def test_no_ehlo_no_sign_in():
    """A server without EHLO cannot let us sign in: it is not given mail that needs it."""
    play = Play(HOP, sign_in=sign_in())
    play.hear("220 old")
    assert play.hear("500 what?") == "QUIT\r\n"
    assert trouble(play).status == "4.5.2"


def test_a_long_password():
    """What does not fit in the line of AUTH is said when asked for (RFC 4954 4)."""
    play, said = under_tls("AUTH PLAIN", password=b"x" * 600)
    assert said == "AUTH PLAIN\r\n"
    assert play.hear("334 ") == coded(b"\0robin\0" + b"x" * 600) + "\r\n"
    play.hear("235 welcome")
    assert play.trouble == [None]


def test_plain_is_asked_for_more():
    """A challenge that PLAIN does not have ends the exchange."""
    play, _ = under_tls("AUTH PLAIN")
    play.hear("334 bW9yZQ==")
    assert trouble(play).status == "4.7.0"


def test_no_answer():
    """Nor is a sign-in waited for endlessly."""
    play, _ = under_tls("AUTH PLAIN")
    play.clock.advance(ANSWER_S)
    assert trouble(play).silent and "its answer to our sign-in" in trouble(play).why
