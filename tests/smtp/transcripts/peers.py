"""Nodes of the site among themselves: how they get in, and what they alone may say."""

from tests.smtp.peers import TELLS
from tests.smtp.stage import no_peer_any_more, peer, peer_that_sent_before, trusted, unwelcome_but_at_a_peers_host

_MAIL = "MAIL FROM:<chris@vm1.example.com>"
_BAD_VALUE = "501 5.5.4 That value of an XUNITYMAIL parameter is not possible"


def _bad(*values):
    return peer, *(f"C: {_MAIL} {value}\nS: {_BAD_VALUE}" for value in values)


TRANSCRIPTS = {
    "a peer says more of a message than others": (peer, f"""
        C: EHLO b.example
        S: 250-vm1.example.com
        S: 250-PIPELINING
        S: 250-SIZE 10240000
        S: 250-8BITMIME
        S: 250-CHUNKING
        S: 250-BINARYMIME
        S: 250-SMTPUTF8
        S: 250-DSN
        S: 250-DELIVERBY 10
        S: 250-MT-PRIORITY MIXER
        S: 250-ENHANCEDSTATUSCODES
        S: 250-LIMITS MAILMAX=100 RCPTMAX=15000
        S: 250-REQUIRETLS
        S: 250 XUNITYMAIL
        C: {_MAIL} {TELLS}
        S: 250 2.1.0 Sender accepted
    """),
    "nobody else may": (trusted, f"""
        C: {_MAIL} {TELLS}
        S: 555 5.5.4 Parameter not recognised
    """),
    "half of it": (peer, f"""
        C: {_MAIL} XID=n1.t1
        S: 501 5.5.4 XID, XTRACE, XKIND, XCATEGORY, XSENSITIVITY and XSECURE go together; one is missing
    """),
    "values that cannot be": _bad(
        "XID", "XID=x", "XTRACE=a+20b", "XSENDER=nobody", "XKIND=friend", "XCATEGORY=spam", "XSENSITIVITY=some",
        "XSECURE=maybe",
    ),
    "a message that is here already": (peer_that_sent_before, f"""
        C: {_MAIL} {TELLS}
        C: RCPT TO:<chris@vm1.example.com>
        C: DATA
        C: .
        S: 250 2.1.0 Sender accepted
        S: 250 2.1.5 Recipient accepted
        S: 354 Send the message, then a line with only a dot
        S: 250 2.0.0 Accepted before, for all of these recipients; nothing was stored again
    """),
    "a peer that was removed meanwhile": (peer, no_peer_any_more, f"""
        C: {_MAIL}
        S: 421 4.7.0 You are no peer of this node any more; goodbye
        (the connection ends)
    """),
    "whoever comes from a peer's host shows its certificate first": (unwelcome_but_at_a_peers_host, f"""
        C: EHLO b.example
        S: 250-vm1.example.com
        S: 250-PIPELINING
        S: 250-SIZE 10240000
        S: 250-8BITMIME
        S: 250-CHUNKING
        S: 250-BINARYMIME
        S: 250-SMTPUTF8
        S: 250-DSN
        S: 250-MT-PRIORITY MIXER
        S: 250-ENHANCEDSTATUSCODES
        S: 250-LIMITS MAILMAX=100 RCPTMAX=15000
        S: 250 STARTTLS
        C: {_MAIL}
        S: 530 5.7.0 From your address only peers are welcome; issue STARTTLS with your certificate
        C: STARTTLS
        S: 220 2.0.0 Start TLS now
        C: {_MAIL}
        S: 554 5.7.1 From your address only peers are welcome, and your certificate is that of none
    """),
}
