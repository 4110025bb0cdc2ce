"""What EHLO offers, and the parameters that go with it."""

import pytest

from unitymail.smtp.commands import BadSyntax
from unitymail.smtp.extensions import Situation, mail_fields, offered, rcpt_fields

ALWAYS = [
    "PIPELINING", "SIZE 1024", "8BITMIME", "CHUNKING", "BINARYMIME", "SMTPUTF8", "DSN", "MT-PRIORITY MIXER",
    "ENHANCEDSTATUSCODES",
]


def test_offer():
    """STARTTLS and AUTH are shown only where they can be used."""
    assert offered(Situation(1024, starttls=False, auth=False)) == ALWAYS
    assert offered(Situation(1024, starttls=True, auth=False)) == [*ALWAYS, "STARTTLS"]
    assert offered(Situation(1024, starttls=False, auth=True)) == [*ALWAYS, "AUTH PLAIN LOGIN"]


def test_limits():
    """RFC 9422 LIMITS tells what is limited, and is not there when nothing is."""
    assert offered(Situation(1024, False, False, 15_000, 100))[-1] == "LIMITS MAILMAX=100 RCPTMAX=15000"
    assert offered(Situation(1024, False, False, max_messages=7))[-1] == "LIMITS MAILMAX=7"


def test_parameters_of_mail():
    """Each parameter becomes what the envelope keeps of it; AUTH= is taken and not believed."""
    assert mail_fields("SIZE=100 BODY=8bitmime SMTPUTF8 AUTH=<> MT-PRIORITY=-4") == {
        "declared_size": 100, "body": "8bitmime", "smtputf8": True, "priority": -4,
    }
    assert mail_fields("BODY=BINARYMIME MT-PRIORITY=9") == {"body": "binarymime", "priority": 9}


@pytest.mark.parametrize("parameters", ["SIZE", "SIZE=-1", "SIZE=x", "SIZE=" + "1" * 21, "SIZE=²", "BODY", "BODY=9BIT",
                                        "SMTPUTF8=1", "AUTH", "MT-PRIORITY", "MT-PRIORITY=10", "MT-PRIORITY=-10",
                                        "MT-PRIORITY=+1", "MT-PRIORITY=", "MT-PRIORITY=²", "MT-PRIORITY=high"])
def test_values_that_cannot_be(parameters):
    """A wrong value is 501 5.5.4."""
    with pytest.raises(BadSyntax) as refused:
        mail_fields(parameters)
    assert refused.value.reply.octets().startswith(b"501 5.5.4")


@pytest.mark.parametrize("read", [mail_fields, rcpt_fields])
def test_unknown_parameters(read):
    """An unknown parameter is 555 5.5.4, not ignored."""
    with pytest.raises(BadSyntax) as refused:
        read("XFOO=1")
    assert refused.value.reply.octets().startswith(b"555 5.5.4")
