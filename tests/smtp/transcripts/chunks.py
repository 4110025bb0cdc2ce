"""BDAT: a message in counted chunks, binary ones too (RFC 3030)."""

from tests.smtp.stage import after, disk_full, enveloped, limited, surprise, trusted

_HEAD = r"From: robin@vm1.example.com\r\nMIME-Version: 1.0\r\n"
_BINARY = "MAIL FROM:<robin@vm1.example.com> BODY=BINARYMIME"


def _bdat(octets, last=True):
    size = len(octets.encode("latin-1").decode("unicode_escape"))
    return f"R: BDAT {size}{' LAST' if last else ''}\\r\\n{octets}"


def _binary(octets, reply):
    return enveloped(sender=_BINARY), _bdat(octets), f"S: {reply}"


_SIGNED = (
    r"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n\0\r\n"
    r"--s\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--s--\r\n"
)
_BARE = "550 5.6.0 The message holds a carriage return or line feed that is not part of a line end"

TRANSCRIPTS = {
    "a letter in one": (enveloped(), _bdat(_HEAD + r"\r\nHi.\r\n"), "S: 250 2.0.0 Accepted; trace ..."),
    "a letter in several, each answered": (
        enveloped(), _bdat(_HEAD, last=False), "S: 250 2.0.0 48 octets received",
        _bdat(r"\r\nHi", last=False), "S: 250 2.0.0 4 octets received", _bdat(""), "S: 250 2.0.0 Accepted; trace ...",
    ),
    "all of it in one segment": (
        trusted, "C: MAIL FROM:<robin@vm1.example.com>\nC: RCPT TO:<chris@vm1.example.com>", _bdat(_HEAD, last=False),
        _bdat(r"\r\n"), """
        C: QUIT
        S: 250 2.1.0 Sender accepted
        S: 250 2.1.5 Recipient accepted
        S: 250 2.0.0 48 octets received
        S: 250 2.0.0 Accepted; trace ...
        S: 221 2.0.0 Goodbye
        (the connection ends)
    """),
    "what is in a chunk is no command": (
        enveloped(), _bdat(r"RSET\r\n.\r\nQUIT\r\n"), "S: 250 2.0.0 Accepted; trace ..."
    ),
    "octets without a sender": (trusted, _bdat(r"QUIT\r\n"), "S: 503 5.5.1 Say MAIL first"),
    "octets without a recipient": (
        trusted, "C: MAIL FROM:<>", _bdat(r"QUIT\r\n"),
        "S: 250 2.1.0 Sender accepted\nS: 554 5.5.1 There is no valid recipient",
    ),
    "behind a chunk that was refused": (
        enveloped(), _bdat(r"a\0", last=False), _bdat(r"RSET\r\n", last=False), _bdat(r"\r\n"), """
        S: 554 5.6.0 The message holds a NUL octet
        S: 503 5.5.1 A chunk before this one was refused; RSET or MAIL begins again
        S: 503 5.5.1 A chunk before this one was refused; RSET or MAIL begins again
        C: MAIL FROM:<robin@vm1.example.com>
        S: 250 2.1.0 Sender accepted
    """),
    "a bare LF": (enveloped(), _bdat(_HEAD + r"\r\none\ntwo\r\n"), f"S: {_BARE}"),
    "DATA and RCPT between chunks": (enveloped(), _bdat(_HEAD, last=False), """
        C: DATA
        C: RCPT TO:<terry@vm1.example.com>
    """, _bdat(r"\r\n"), """
        S: 250 2.0.0 48 octets received
        S: 503 5.5.1 BDAT has begun the message; more BDAT completes it, RSET forgets it
        S: 503 5.5.1 BDAT has begun the message; more BDAT completes it, RSET forgets it
        S: 250 2.0.0 Accepted; trace ...
    """),
    "RSET between chunks": (enveloped(), _bdat(_HEAD, last=False), "C: RSET", _bdat(r"\r\n"), """
        S: 250 2.0.0 48 octets received
        S: 250 2.0.0 Forgotten
        S: 503 5.5.1 Say MAIL first
    """),
    "a size that is none": (enveloped(), """
        C: BDAT many LAST
        C: MAIL FROM:<evil@example.com>
        S: 501 5.5.4 Syntax: BDAT octets [LAST]
        S: 421 4.7.0 What follows that BDAT cannot be told from commands; goodbye
        (the connection ends)
    """),
    "a size of thirty digits": (enveloped(), f"""
        C: BDAT {'9' * 30}
        S: 501 5.5.4 Syntax: BDAT octets [LAST]
        S: 421 4.7.0 What follows that BDAT cannot be told from commands; goodbye
        (the connection ends)
    """),
    "a size that nobody waits for": (enveloped(), """
        C: BDAT 9999999999999 LAST
        S: 552 5.3.4 The message is larger than 10000 KiB, the limit here
        S: 421 4.7.0 What follows that BDAT cannot be told from commands; goodbye
        (the connection ends)
    """),
    "a message over the limit": (
        enveloped(stage=limited(smtp_max_message_kib=1)), _bdat("x" * 600, last=False), _bdat("y" * 600, last=False),
        _bdat("z"), """
        S: 250 2.0.0 600 octets received
        S: 552 5.3.4 The message is larger than 1 KiB, the limit here
        S: 503 5.5.1 A chunk before this one was refused; RSET or MAIL begins again
    """),
    "a chunk that stops coming": (enveloped(), "R: BDAT 100\\r\\nhalf", after(180), """
        S: 421 4.4.2 Idle for too long; goodbye
        (the connection ends)
    """),
    "no room on the disk": (enveloped(), disk_full("receive_error"), _bdat(_HEAD), """
        S: 452 4.3.1 The disk is full here; please try again later
    """),
    "what nobody expected": (enveloped(), surprise("receive_error"), _bdat(_HEAD), """
        S: 451 4.3.0 Something went wrong here; please try again later
    """),
    "binary octets": (enveloped(sender=_BINARY), _bdat(
        _HEAD + r"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\xff\n\r"
    ), "S: 250 2.0.0 Accepted; trace ..."),
    "binary octets by DATA": (enveloped(sender=_BINARY), """
        C: DATA
        S: 503 5.5.1 A message with BODY=BINARYMIME goes by BDAT only
    """),
    "a NUL in a header": _binary(
        r"Subject: a\0b\r\n\r\n", "554 5.6.0 The message has a NUL octet where no encoding can hide it"
    ),
    "a bare LF in a header": _binary(
        r"Subject: a\nb\r\n\r\n", "554 5.6.0 The message has a CR or LF alone where no encoding can hide it"
    ),
    "binary octets that are signed": _binary(
        _HEAD + _SIGNED, "554 5.6.3 The message has octets that are signed or encrypted, and cannot pass"
    ),
    "binary octets in what says it is a multipart": _binary(
        _HEAD + r"Content-Type: multipart/mixed; boundary=b\r\n\r\n\0\r\n",
        "554 5.6.0 The message has a part that cannot pass, and whose header cannot be rewritten",
    ),
}
