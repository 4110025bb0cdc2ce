"""MAIL and RCPT: addresses in every form, and who may send to whom."""

from dataclasses import replace

from tests.smtp.stage import OPEN, TLS, enveloped, full_mailboxes, gone, limited, robin, stranger, trusted, under_tls

_NEVER_A_STRANGER = replace(OPEN, recipient_not_found="smart-host", smart_host_host="mail.example.com")

TRANSCRIPTS = {
    "forms of a sender's address": (lambda: trusted(), """
        C: MAIL FROM:<>
        C: RSET
        C: mail from:<robin@vm1.example.com>
        C: RSET
        C: MAIL FROM: <robin@vm1.example.com>
        C: RSET
        C: MAIL FROM:<"robin smith"@vm1.example.com>
        C: RSET
        C: MAIL FROM:<"a>b@c"@vm1.example.com>
        C: RSET
        C: MAIL FROM:<robin@[192.0.2.1]>
        C: RSET
        C: MAIL FROM:<robin@[IPv6:2001:db8::1]>
        C: RSET
        C: MAIL FROM:<@a.example,@b.example:robin@vm1.example.com>
        S: 250 2.1.0 Sender accepted
        S: 250 2.0.0 Forgotten
        S: 250 2.1.0 Sender accepted
        S: 250 2.0.0 Forgotten
        S: 250 2.1.0 Sender accepted
        S: 250 2.0.0 Forgotten
        S: 250 2.1.0 Sender accepted
        S: 250 2.0.0 Forgotten
        S: 250 2.1.0 Sender accepted
        S: 250 2.0.0 Forgotten
        S: 250 2.1.0 Sender accepted
        S: 250 2.0.0 Forgotten
        S: 250 2.1.0 Sender accepted
        S: 250 2.0.0 Forgotten
        S: 250 2.1.0 Sender accepted
    """),
    "what is no sender": (trusted, """
        C: MAIL
        S: 501 5.5.4 Syntax: MAIL FROM:<address> [parameters]
        C: MAIL TO:<robin@vm1.example.com>
        S: 501 5.5.4 Syntax: MAIL FROM:<address> [parameters]
        C: MAIL FROM:robin@vm1.example.com
        S: 501 5.5.4 Syntax: MAIL FROM:<address> [parameters]
        C: MAIL FROM:<a@b@c>
        S: 553 5.1.7 That is not an address
        C: MAIL FROM:<postmaster>
        S: 553 5.1.7 That is not an address
        C: MAIL FROM:<robin@[1.2.3]>
        S: 553 5.1.7 That is not an address
        R: MAIL FROM:<\\xff\\xfe@a.example>\\r\\n
        S: 500 5.5.2 A command may not hold control characters or broken UTF-8
    """),
    "forms of a recipient's address": (
        lambda: enveloped("RSET", "MAIL FROM:<robin@vm1.example.com>")(), """
        C: RCPT TO:<chris@vm1.example.com>
        C: RCPT TO: <chris@vm1.example.com>
        C: rcpt to:<CHRIS@VM1.EXAMPLE.COM>
        C: RCPT TO:<"chris"@vm1.example.com>
        C: RCPT TO:<@relay.example:chris@vm1.example.com>
        C: RCPT TO:<postmaster>
        C: RCPT TO:<Postmaster@vm1.example.com>
        S: 250 2.1.5 Recipient accepted
        S: 250 2.1.5 Recipient accepted
        S: 250 2.1.5 Recipient accepted
        S: 250 2.1.5 Recipient accepted
        S: 250 2.1.5 Recipient accepted
        S: 250 2.1.5 Recipient accepted
        S: 250 2.1.5 Recipient accepted
    """),
    "what is no recipient": (enveloped(), """
        C: RCPT
        S: 501 5.5.4 Syntax: RCPT TO:<address> [parameters]
        C: RCPT FROM:<chris@vm1.example.com>
        S: 501 5.5.4 Syntax: RCPT TO:<address> [parameters]
        C: RCPT TO:<>
        S: 553 5.1.3 That is not an address
        C: RCPT TO:<chris@>
        S: 553 5.1.3 That is not an address
    """),
    "the longest addresses": (trusted, f"""
        C: MAIL FROM:<{'x' * 257}@{'y' * 254}>
        C: RSET
        C: MAIL FROM:<{'x' * 258}@{'y' * 254}>
        C: MAIL FROM:<{'x' * 200}@{'y' * 256}>
        C: MAIL FROM:<>
        C: RCPT TO:<{'x' * 258}@{'y' * 254}>
        S: 250 2.1.0 Sender accepted
        S: 250 2.0.0 Forgotten
        S: 553 5.1.7 That is not an address
        S: 553 5.1.7 That is not an address
        S: 250 2.1.0 Sender accepted
        S: 553 5.1.3 That is not an address
    """),
    "addresses beyond ASCII": (trusted, """
        C: MAIL FROM:<röbin@vm1.example.com>
        S: 553 5.6.7 An address beyond ASCII needs SMTPUTF8 at MAIL
        C: MAIL FROM:<robin@vm1.example.com>
        C: RCPT TO:<chriß@vm1.example.com>
        C: RSET
        C: MAIL FROM:<röbin@exämple.com> SMTPUTF8
        C: RCPT TO:<chriß@vm1.example.com>
        S: 250 2.1.0 Sender accepted
        S: 553 5.6.7 An address beyond ASCII needs SMTPUTF8 at MAIL
        S: 250 2.0.0 Forgotten
        S: 250 2.1.0 Sender accepted
        S: 250 2.1.5 Recipient accepted
    """),
    "a stranger is told at once who is not here": (stranger, """
        C: MAIL FROM:<robin@vm1.example.com>
        C: RCPT TO:<nobody@vm1.example.com>
        C: RCPT TO:<chris@vm1.example.com>
        S: 250 2.1.0 Sender accepted
        S: 550 5.1.1 nobody@vm1.example.com is unknown here
        S: 250 2.1.5 Recipient accepted
    """),
    "a stranger never reaches the smart host": (lambda: stranger(site=_NEVER_A_STRANGER), """
        C: MAIL FROM:<robin@vm1.example.com>
        C: RCPT TO:<pat@elsewhere.example>
        S: 250 2.1.0 Sender accepted
        S: 550 5.7.1 Relaying to pat@elsewhere.example is not allowed
    """),
    "whom we know is told later who is not here": (enveloped(), """
        C: RCPT TO:<nobody@vm1.example.com>
        S: 250 2.1.5 Recipient accepted
    """),
    "a full mailbox takes receipts only": (full_mailboxes, """
        C: MAIL FROM:<terry@vm1.example.com>
        C: RCPT TO:<chris@vm1.example.com>
        C: RSET
        C: MAIL FROM:<>
        C: RCPT TO:<chris@vm1.example.com>
        S: 250 2.1.0 Sender accepted
        S: 452 4.2.2 The mailbox is full; please try again later
        S: 250 2.0.0 Forgotten
        S: 250 2.1.0 Sender accepted
        S: 250 2.1.5 Recipient accepted
    """),
    "who is over the send quota deletes something first; receipts pass": (lambda: full_mailboxes(robin), """
        C: MAIL FROM:<robin@vm1.example.com>
        S: 552 5.2.2 Your mailbox is over its send quota; delete some messages first
        C: MAIL FROM:<>
        S: 250 2.1.0 Sender accepted
    """),
    "who signed in sends as itself": (robin, """
        C: MAIL FROM:<chris@vm1.example.com>
        C: RCPT TO:<chris@vm1.example.com>
        C: DATA
        S: 550 5.7.1 chris@vm1.example.com is neither an address of yours nor of one who made you a delegate
        S: 503 5.5.1 Say MAIL first
        S: 503 5.5.1 Say MAIL first
        C: MAIL FROM:<robin.smith@example.com>
        S: 250 2.1.0 Sender accepted
    """),
    "whose account goes in the middle of a session": (robin, gone, """
        C: MAIL FROM:<robin@vm1.example.com>
        S: 550 5.7.1 The account you signed in with is no longer there
    """),
    "more recipients than a message may have": (limited(smtp_max_recipients=1), """
        C: MAIL FROM:<robin@vm1.example.com>
        C: RCPT TO:<chris@vm1.example.com>
        C: RCPT TO:<terry@vm1.example.com>
        S: 250 2.1.0 Sender accepted
        S: 250 2.1.5 Recipient accepted
        S: 452 4.5.3 Too many recipients; send the message again to the others
    """),
    "no password while a message is under way": (lambda: under_tls(), """
        C: MAIL FROM:<robin@vm1.example.com>
        C: AUTH PLAIN AHJvYmluAHNlY3JldA==
        S: 250 2.1.0 Sender accepted
        S: 503 5.5.1 Not while a message is being sent; RSET ends it
    """),
    "RSET forgets, and takes no argument": (lambda: trusted(tls=TLS), """
        C: MAIL FROM:<robin@vm1.example.com>
        C: RSET now
        C: RSET
        C: DATA
        S: 250 2.1.0 Sender accepted
        S: 501 5.5.4 This command takes no argument
        S: 250 2.0.0 Forgotten
        S: 503 5.5.1 Say MAIL first
    """),
}
