"""What a server says it can do."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.relay.offers import NOTHING, Offers, offers_of, words_of


def test_everything():
    """Each keyword is found, in any case, with its numbers."""
    text = (
        "mx.example.net greets you\npipelining\nSIZE 1000\n8BITMIME\nSmtpUtf8\nCHUNKING\nBINARYMIME\nDSN\nREQUIRETLS\n"
        "DELIVERBY 10\nLIMITS RCPTMAX=50 MAILMAX=7\nAUTH PLAIN login\nAUTH=CRAM-MD5\nXUNITYMAIL\nSTARTTLS\n"
        "MT-PRIORITY MIXER"
    )
    assert offers_of(words_of(text)) == Offers(
        pipelining=True, chunking=True, eight_bit=True, utf8=True, dsn=True, require_tls=True,
        unitymail=True, priority=True, sized=True, size=1000, deliver_by=10, most_recipients=50, most_messages=7,
        mechanisms=("PLAIN", "LOGIN"),
    )


def test_odd_numbers():
    """A number that is none means that none was told."""
    text = "mx\nSIZE lots\nLIMITS RCPTMAX=-1 x MAILMAX=\nDELIVERBY"
    assert offers_of(words_of(text)) == Offers(sized=True, deliver_by=0)
    assert offers_of(words_of("PIPELINING")) == NOTHING


@given(st.text())
def test_any_text(text):
    """No answer breaks the client."""
    offers_of(words_of(text))
