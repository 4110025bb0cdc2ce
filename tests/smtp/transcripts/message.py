"""DATA: a message, what is wrong with one, and what the client hears when it is whole."""

from tests.smtp.stage import disk_full, enveloped, legacy, limited, robin, surprise, trusted

_START = """
    S: 354 Send the message, then a line with only a dot
"""
_LETTER = """
    C: From: robin@vm1.example.com
    C: To: chris@vm1.example.com
    C: Subject: Hello
    C:
    C: Hi.
"""
_ACCEPTED = """
    C: .
    S: 250 2.0.0 Accepted; trace ...
"""


def _after_data(*steps, stage=trusted):
    """What follows DATA."""
    return enveloped(stage=stage), "C: DATA", _START, *steps


_BARE = "550 5.6.0 The message holds a carriage return or line feed that is not part of a line end"

TRANSCRIPTS = {
    "a letter": _after_data(_LETTER, _ACCEPTED),
    "DATA takes no argument": (enveloped(), """
        C: DATA now
        S: 501 5.5.4 This command takes no argument
    """),
    "two letters in one connection": _after_data(_LETTER, _ACCEPTED, """
        C: MAIL FROM:<robin@vm1.example.com>
        C: RCPT TO:<chris@vm1.example.com>
        C: DATA
        S: 250 2.1.0 Sender accepted
        S: 250 2.1.5 Recipient accepted
        S: 354 Send the message, then a line with only a dot
    """, _LETTER, _ACCEPTED),
    "dots at the beginning of lines": _after_data(_LETTER, "C: ..\nC: ..dot", _ACCEPTED),
    "a line of any length": _after_data(_LETTER, "C: " + "x" * 100_000, _ACCEPTED),
    "a bare LF": _after_data(_LETTER, f"""
        R: one\\ntwo\\r\\n
        C: .
        S: {_BARE}
    """),
    "a bare CR": _after_data(_LETTER, f"""
        R: one\\rtwo\\r\\n
        C: .
        S: {_BARE}
    """),
    "what follows bare line ends in haste": _after_data(_LETTER, f"""
        R: \\n.\\nMAIL FROM:<evil@example.com>\\r\\n.\\r\\n
        C: NOOP
        S: {_BARE}
        S: 421 4.7.0 What follows such line ends is not believed; goodbye
        (the connection ends)
    """),
    "bare line ends of one who is forgiven": _after_data(
        _LETTER, r"R: one\ntwo\rthree\r\n", _ACCEPTED, stage=legacy
    ),
    "a NUL": _after_data(_LETTER, """
        R: one\\0two\\r\\n
        C: .
        S: 554 5.6.0 The message holds a NUL octet
        C: NOOP
        S: 250 2.0.0 Done nothing
    """),
    "a message over the limit": _after_data(_LETTER, "C: " + "x" * 1_000, """
        C: .
        S: 552 5.3.4 The message is larger than 1 KiB, the limit here
    """, stage=limited(smtp_max_message_kib=1)),
    "a header that is somebody else's": (enveloped(stage=robin), "C: DATA", _START, """
        C: From: terry@vm1.example.com
        C:
        C: .
        S: 550 5.7.1 terry@vm1.example.com is neither an address of yours nor of one who made you a delegate
    """),
    "a header too long to tell whose it is": (enveloped(stage=robin), "C: DATA", _START, """
        C: From: robin@vm1.example.com
    """, "C: X: " + "y" * 300_000, """
        C:
        C: .
        S: 550 5.7.1 The header, or its From or Sender, is too long to tell whose message it is
    """),
    "a message that goes in circles": (enveloped("DATA"), "C: Received: again\n" * 100, """
        C:
        C: .
        S: 554 5.4.6 The message is going in circles: it has passed too many servers, or this one too often
    """),
    "somebody's private message, forwarded": (enveloped("DATA", stage=robin), """
        C: From: robin@vm1.example.com
        C: MIME-Version: 1.0
        C: Content-Type: message/rfc822
        C:
        C: From: terry@vm1.example.com
        C: Sensitivity: Private
        C:
        C: .
        S: 550 5.7.1 The message forwards a private one, which its sender did not allow
    """),
    "no room on the disk to begin": (enveloped(), disk_full("receive_error"), """
        C: DATA
        S: 452 4.3.1 The disk is full here; please try again later
    """),
    "no room on the disk to go on": _after_data(disk_full("write_error"), _LETTER, """
        C: .
        S: 452 4.3.1 The disk is full here; please try again later
    """),
    "no room on the disk to keep it": _after_data(disk_full("commit_error"), _LETTER, """
        C: .
        S: 452 4.3.1 The disk is full here; please try again later
    """),
    "what nobody expected": _after_data(surprise("commit_error"), _LETTER, """
        C: .
        S: 451 4.3.0 Something went wrong here; please try again later
        C: NOOP
        S: 250 2.0.0 Done nothing
    """),
}
