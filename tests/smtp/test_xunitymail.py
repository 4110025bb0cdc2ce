"""What peers tell each other in MAIL: the grammar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.peers import TELLS
from unitymail.mail.message import Category, Sensitivity
from unitymail.routing.decision import FromPeer
from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.extensions import Situation, mail_fields
from unitymail.smtp.xunitymail import take_told

PEER = Situation(0, starttls=False, auth=False, tls=True, peer=True)


def told(parameters):
    return take_told(mail_fields(parameters, lambda: PEER))


def test_all_of_it():
    """Each parameter has its place."""
    assert told(TELLS) == FromPeer(
        "n1.t1", "t1", "chris@vm1.example.com", "user", Category.VOICE, Sensitivity.PRIVATE, True
    )


def test_the_rest_of_mail_is_left():
    """SIZE and the like stay fields of the envelope."""
    fields = mail_fields(f"SIZE=5 {TELLS} SMTPUTF8", lambda: PEER)
    assert take_told(fields) is not None
    assert fields == {"declared_size": 5, "smtputf8": True}
    assert take_told(fields) is None


def test_a_sender_who_is_nobodys_is_left_out():
    """A null sender, an outside one."""
    words = [word for word in TELLS.replace("XKIND=user", "XKIND=null").split() if not word.startswith("XSENDER")]
    assert told(" ".join(words)).sender == ""
    assert told(" ".join(words)).kind == "null"


def test_an_address_beyond_ascii():
    """xtext carries its UTF-8."""
    assert told(TELLS.replace("chris@", "andr+C3+A9+2Bx@")).sender == "andré+x@vm1.example.com"


@pytest.mark.parametrize("word", [word for word in TELLS.split() if not word.startswith("XSENDER")])
def test_one_alone_is_a_mistake(word):
    """They go together: what is missing is not guessed."""
    rest = " ".join(each for each in TELLS.split() if each != word)
    for parameters in (rest, word):
        with pytest.raises(BadSyntax) as bad:
            told(parameters)
        assert bad.value.reply.octets().startswith(b"501 5.5.4")


@pytest.mark.parametrize(
    "parameter",
    ["XID", "XID=t1", "XID=n1.", "XID=n+2Ft.1", "XID=n1.t+0A", "XTRACE=t+20t", "XTRACE", "XSENDER=chris", "XSENDER",
     "XSENDER=" + "a" * 520 + "@x.example", "XKIND=admin", "XKIND", "XCATEGORY=Voice", "XCATEGORY=sms",
     "XSENSITIVITY=x", "XSECURE=true", "XSECURE", "XID=" + "n" * 101 + ".t", "XTRACE=" + "t" * 2000],
)
def test_values_that_cannot_be(parameter):
    """Each is 501 5.5.4 by itself."""
    with pytest.raises(BadSyntax) as bad:
        mail_fields(parameter, lambda: PEER)
    assert bad.value.reply.octets().startswith(b"501 5.5.4")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_garbage_is_refused_or_fits(text):
    """Whatever a peer sends, it is a FromPeer or BadSyntax."""
    try:
        found = told(TELLS.replace("t1", text, 1))
    except BadSyntax:
        return
    assert found is None or found.xid.isprintable()
