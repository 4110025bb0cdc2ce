"""The checker of RFC 3801 finds what is wrong: each rule is broken once."""

import base64

import pytest

from tests import rfc3801

SENDER, RECIPIENT = "71041@vm1.example.com", "82233@branch.example.org"
AUDIO = base64.encodebytes(b"\x01" * 8000).replace(b"\n", b"\r\n")
GOOD = b"""\
Received: from a by b; Mon, 10 Mar 2014 13:20:25 +0000
From: "Robin Smith" <71041@vm1.example.com>
To: <82233@branch.example.org>
Date: Mon, 10 Mar 2014 09:15:22 -0400
Message-ID: <1@vm1.example.com>
Subject: Voice Message
MIME-Version: 1.0 (Voice 2.0)
Content-Type: Multipart/Voice-Message; version=2.0; boundary="=_a"
Content-Transfer-Encoding: 7bit

--=_a
Content-Type: Audio/32KADPCM
Content-Transfer-Encoding: Base64
Content-Disposition: inline; voice=Voice-Message; filename=message.726
Content-Duration: 2

AUDIO
--=_a
Content-Type: Message/RFC822
Content-Transfer-Encoding: 7bit

Subject: before
MIME-Version: 1.0 (Voice 2.0)
Content-Type: Multipart/Voice-Message; version=2.0; boundary="=_b"

--=_b
Content-Type: Audio/32KADPCM
Content-Transfer-Encoding: Base64
Content-Disposition: inline; voice=Voice-Message
Content-Duration: 2

AUDIO
--=_b--

--=_a--
""".replace(b"\n", b"\r\n").replace(b"AUDIO\r\n", AUDIO)
EXTRA = b"--=_a\r\nContent-Type: %b\r\n\r\nx\r\n--=_a\r\nContent-Type: Message/RFC822"
BEFORE_FORWARDED = b"--=_a\r\nContent-Type: Message/RFC822"


def test_good():
    """A message as RFC 3801 has it passes."""
    rfc3801.check(GOOD, SENDER, [RECIPIENT])
    assert [found[:2] for found in rfc3801.recordings(GOOD)] == [(0, "voice-message"), (1, "voice-message")]
    assert rfc3801.voice(GOOD, 1) == b"\x01" * 8000


@pytest.mark.parametrize(("old", "new", "section"), [
    (b"Robin Smith", b"R\xc3\xb6bin", "4.2.12"), (b"before", b"\0", "RFC 2045 2.7"),
    (b"before", b"a\nb", "RFC 5322 2.3"),
    (b"before", b"x" * 1000, "RFC 5322 2.1.1"), (b"Received", b"X-Received", "4.2.9"),
    (b"From: \"Robin Smith\" <71041@vm1.example.com>\r\n", b"", "4.2.1"),
    (b"\"Robin Smith\" ", b"", "4.2.1"), (b"<71041@vm1", b"<71042@vm1", "4.2.1"),
    (b"<71041@vm1", b"<robin@vm1", "4.1.1"),
    (b"82233@branch", b"82234@branch", "4.2.2"), (b"To: <82233@branch.example.org>\r\n", b"", "4.2.2"),
    (b"Date: ", b"X-Date: ", "4.2.4"), (b"-0400", b"EDT", "4.2.4"), (b"Message-ID", b"X-ID", "4.2.7"),
    (b"Subject: Voice Message", b"Subject: ", "4.2.15"), (b"1.0 (Voice 2.0)", b"1.0", "4.2.10"),
    (b"Multipart/Voice-Message", b"Multipart/Mixed", "4.2.11"), (b"; version=2.0", b"", "4.2.11"),
    (b"-Encoding: 7bit", b"-Encoding: base64", "4.2.12"),
    (b"Subject: V", b"Reply-To: x@y.example\r\nSubject: V", "4.2.8"),
    (b"Subject: V", b"Return-Path: <x@y>\r\nSubject: V", "4.2.6"), (b"Subject: V", b"Bcc: x@y\r\nSubject: V", "4.2.3"),
    (b"Subject: V", b"X-Mailer: y\r\nSubject: V", "message-formats 5"),
    (b"MIME-V", b"Sensitivity: Personal\r\nMIME-V", "4.2.13"), (b"MIME-V", b"Importance: normal\r\nMIME-V", "4.2.14"),
    (b"MIME-V", b"Disposition-Notification-To: <x@y.example>\r\nMIME-V", "4.2.16"),
    (BEFORE_FORWARDED, EXTRA % b"text/plain", "4.5.4"), (BEFORE_FORWARDED, EXTRA % b"text/directory", "4.5.2"),
    (BEFORE_FORWARDED, EXTRA % b"application/pdf", "4.4.1"), (b"voice=Voice-Message", b"voice=Other", "4.3.2"),
    (b"inline", b"attachment", "4.3.2"), (b"Content-Duration: 2", b"Content-Duration: 0", "4.3.3"),
    (b"Content-Duration: 2", b"Content-Duration: 9", "4.3.3"), (b"Content-Duration: 2\r\n", b"", "4.3.3"),
    (b"Audio/32KADPCM", b"Audio/WAV", "4.4.3"), (b"Base64", b"quoted-printable", "4.4.3"),
    (AUDIO, b"*\r\n", "RFC 2045 6.8"),
    (AUDIO, b"", "4.4.3"), (AUDIO, AUDIO.replace(b"\r\n", b"") + b"\r\n", "RFC 2045 6.8"),
    (b"Subject: before\r\n", b"", "4.8"), (b"before\r\nMIME-Version: 1.0 (Voice 2.0)\r\n", b"before\r\n", "4.8"),
    (b"=_b", b"=_a1", "RFC 2046 5.1.2"), (b"Content-Duration", b"X-Other: y\r\nContent-Duration", "4.3"),
    (b"Content-Duration", b"Content-Language: x y\r\nContent-Duration", "4.3.4"),
])
def test_each_rule(old, new, section):
    """What breaks a rule is named with its section."""
    assert old in GOOD
    wrong = rfc3801.failures(GOOD.replace(old, new), SENDER, [RECIPIENT])
    assert section in {line.partition(":")[0] for line in wrong}, wrong


@pytest.mark.parametrize(("sender", "recipients", "options", "section"), [
    ("other@vm1.example.com", [RECIPIENT], {}, "4.2.1"), (SENDER, [], {}, "4.2.2"),
    (SENDER, [RECIPIENT, "1@branch.example.org"], {}, "4.2.2"), (SENDER, [RECIPIENT], {"wav": True}, "4.4.3"),
    (SENDER, [RECIPIENT], {"mail": {"SIZE": "1"}}, "5.1 SIZE"),
    (SENDER, [RECIPIENT], {"mail": {"RET": "X"}}, "5.2 DSN"),
    (SENDER, [RECIPIENT], {"rcpt": [{"NOTIFY": "NEVER,SUCCESS"}]}, "5.2 DSN"),
])
def test_envelope(sender, recipients, options, section):
    """The envelope and the message must agree."""
    wrong = rfc3801.failures(GOOD, sender, recipients, **options)
    assert section in {line.partition(":")[0] for line in wrong}, wrong


def test_check_says_all():
    """The failure lists everything at once."""
    with pytest.raises(AssertionError, match=r"(?s)4\.2\.9.*4\.2\.15"):
        rfc3801.check(GOOD.replace(b"Received", b"X").replace(b"Voice Message", b""), SENDER, [RECIPIENT])
