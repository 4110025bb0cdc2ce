"""From the banner to the envelope: HELO, EHLO, STARTTLS, the order of it all, and who is not let in."""

from tests.smtp.conversation import Conversation
from tests.smtp.stage import (
    CHAPTER,
    OPEN,
    STRICT,
    TLS,
    arriving,
    banned,
    in_a_crowd,
    limited,
    person,
    robin,
    shut_down,
    stranger,
    trusted,
    uncounted,
    under_tls,
)
from unitymail.ledger.local import LocalLedger


def _crowded(**limits):
    """One connection is there already."""

    def set_up():
        ledger = LocalLedger()
        one = limited(**limits)().site
        Conversation(site=one, ledger=ledger)
        return Conversation(site=one, ledger=ledger)

    return set_up


def _hasty():
    return Conversation(site=OPEN, access=(), connect=False).arrive()


TRANSCRIPTS = {
    "what a client at a trusted address is offered": (arriving, """
        S: 220 vm1.example.com ESMTP unitymail
        C: EHLO client.example
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
        S: 250 LIMITS MAILMAX=100 RCPTMAX=15000
        C: QUIT
        S: 221 2.0.0 Goodbye
        (the connection ends)
    """),
    "under TLS there are passwords and REQUIRETLS, and no second TLS": (lambda: arriving(tls=TLS), """
        S: 220 vm1.example.com ESMTP unitymail
        C: EHLO client.example
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
        C: STARTTLS
        S: 220 2.0.0 Start TLS now
        C: MAIL FROM:<robin@vm1.example.com>
        S: 503 5.5.1 Say EHLO first
        C: EHLO client.example
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
        S: 250-REQUIRETLS
        S: 250 AUTH PLAIN LOGIN SCRAM-SHA-256
        C: STARTTLS
        S: 503 5.5.1 TLS is in use already
    """),
    "who signed in to submit may send later": (robin, """
        C: EHLO client.example
        S: 250-vm1.example.com
        S: 250-PIPELINING
        S: 250-SIZE 10240000
        S: 250-8BITMIME
        S: 250-CHUNKING
        S: 250-BINARYMIME
        S: 250-SMTPUTF8
        S: 250-DSN
        S: 250-DELIVERBY 10
        S: 250-FUTURERELEASE 2592000 2027-02-14T08:00:00Z
        S: 250-MT-PRIORITY MIXER
        S: 250-ENHANCEDSTATUSCODES
        S: 250 LIMITS MAILMAX=100 RCPTMAX=15000
    """),
    "what has no limit announces none": (
        limited(smtp_max_message_kib=0, smtp_max_recipients=0, smtp_max_messages_per_connection=0), """
        C: EHLO client.example
        S: 250-vm1.example.com
        S: 250-PIPELINING
        S: 250-SIZE 0
        S: 250-8BITMIME
        S: 250-CHUNKING
        S: 250-BINARYMIME
        S: 250-SMTPUTF8
        S: 250-DSN
        S: 250-MT-PRIORITY MIXER
        S: 250 ENHANCEDSTATUSCODES
    """),
    "a host name is looked at for its syntax only": (arriving, """
        S: 220 vm1.example.com ESMTP unitymail
        C: HELO
        S: 501 5.5.4 Say your host name or address literal after HELO or EHLO
        C: HELO two names
        S: 501 5.5.4 Say your host name or address literal after HELO or EHLO
        C: EHLO <script>
        S: 501 5.5.4 Say your host name or address literal after HELO or EHLO
        C: HELO vm1.example.com
        S: 250 vm1.example.com
        C: HELO [192.0.2.99]
        S: 250 vm1.example.com
        C: helo [IPv6:2001:db8::1]
        S: 250 vm1.example.com
        C: HELO under_score
        S: 250 vm1.example.com
        C: HELO 10.0.0.1
        S: 250 vm1.example.com
    """),
    "hello comes first, an envelope is built in order, and hello ends it": (arriving, """
        S: 220 vm1.example.com ESMTP unitymail
        C: MAIL FROM:<robin@vm1.example.com>
        S: 503 5.5.1 Say EHLO first
        C: RCPT TO:<chris@vm1.example.com>
        S: 503 5.5.1 Say MAIL first
        C: DATA
        S: 503 5.5.1 Say MAIL first
        C: HELO client.example
        C: MAIL FROM:<robin@vm1.example.com>
        C: MAIL FROM:<robin@vm1.example.com>
        C: DATA
        C: HELO client.example
        C: RCPT TO:<chris@vm1.example.com>
        S: 250 vm1.example.com
        S: 250 2.1.0 Sender accepted
        S: 503 5.5.1 There is a sender already; RSET begins again
        S: 554 5.5.1 There is no valid recipient
        S: 250 vm1.example.com
        S: 503 5.5.1 Say MAIL first
    """),
    "TLS is refused where there is none, and takes no argument": (trusted, """
        C: STARTTLS
        S: 502 5.5.1 TLS is not offered here
        C: STARTTLS now
        S: 501 5.5.4 This command takes no argument
    """),
    "what was said before TLS is void after it": (lambda: trusted(tls=TLS), """
        C: MAIL FROM:<robin@vm1.example.com>
        C: STARTTLS
        C: RCPT TO:<chris@vm1.example.com>
        S: 250 2.1.0 Sender accepted
        S: 220 2.0.0 Start TLS now
        C: RCPT TO:<chris@vm1.example.com>
        S: 503 5.5.1 Say MAIL first
        C: MAIL FROM:<robin@vm1.example.com>
        S: 503 5.5.1 Say EHLO first
    """),
    "a stranger where TLS is required": (lambda: stranger(site=STRICT, tls=TLS), """
        C: MAIL FROM:<robin@vm1.example.com>
        S: 530 5.7.0 Must issue a STARTTLS command first
        C: AUTH PLAIN AHJvYmluAHNlY3JldA==
        S: 538 5.7.11 Signing in needs encryption; issue a STARTTLS command first
    """),
    "a stranger where a sign-in is required": (lambda: stranger(site=CHAPTER, tls=TLS), """
        C: MAIL FROM:<robin@vm1.example.com>
        S: 530 5.7.0 Authentication required; issue a STARTTLS command first
        C: RCPT TO:<chris@vm1.example.com>
        S: 503 5.5.1 Say MAIL first
    """),
    "nobody submits without a sign-in": (person, """
        C: MAIL FROM:<robin@vm1.example.com>
        S: 530 5.7.0 Authentication required
    """),
    "an address that is not welcome hears so in place of a banner": (banned, """
        S: 554 5.7.1 Connections from your address are not accepted here; ask the postmaster to allow them
        (the connection ends)
    """),
    "a stranger that speaks before it is greeted": (_hasty, """
        C: EHLO client.example
        S: 554 5.5.1 You spoke before you were greeted; wait for the banner, then begin
        (the connection ends)
    """),
    "more connections than the site takes": (_crowded(smtp_max_connections=1), """
        S: 421 4.3.2 All 1 connections are in use here; please try again later
        (the connection ends)
    """),
    "more connections than an address may have": (_crowded(smtp_max_connections_per_address=1), """
        S: 421 4.3.2 There are 1 connections open from 192.0.2.7, the limit here; close some, or send more messages ...
        (the connection ends)
    """),
    "more clients at the door than can be told apart": (in_a_crowd, """
        S: 421 4.3.2 Too many connections come in at once; please try again in a minute
        (the connection ends)
    """),
    "nobody can say how many connections there are": (uncounted, """
        S: 421 4.3.2 Connections cannot be counted at this moment; please try again in a minute
        (the connection ends)
    """),
    "a node that stops": (trusted, shut_down, """
        S: 421 4.3.2 The node is shutting down; please try again later
        (the connection ends)
    """),
    "REQUIRETLS is for connections under TLS": (under_tls, """
        C: MAIL FROM:<robin@vm1.example.com> REQUIRETLS
        S: 250 2.1.0 Sender accepted
    """),
}
