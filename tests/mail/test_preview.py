"""The first words of a message, for a list of messages to show."""

import base64
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.preview import LONGEST, preview
from unitymail.mail.structure import scan


def of(message):
    octets = message.encode() if isinstance(message, str) else message
    octets = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return preview(octets, scan(octets))


def part(content_type, body, *more):
    return "\n".join([f"Content-Type: {content_type}", *more, "", body])


def multipart(kind, *parts, header=""):
    inside = "".join(f"--b\n{one}\n" for one in parts)
    return f"{header}Content-Type: multipart/{kind}; boundary=b\n\n{inside}--b--\n"


def wav(seconds=14, rate=8_000):
    samples = bytes(16)
    fmt = struct.pack("<HHIIHH", 1, 1, rate, rate, 1, 8)
    return b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", seconds * rate) + samples


VOICE = part(
    "audio/wav; name=message.wav", base64.b64encode(wav()).decode(), "Content-Transfer-Encoding: base64",
    "Content-Disposition: attachment; filename=message.wav",
)  # fmt: skip


def test_text():
    """White space of any kind is one space; the signature is not part of it."""
    assert of("Subject: x\n\nDear Robin,\n\n  lunch\tat\u00a0noon?\n-- \nChris\n") == "Dear Robin, lunch at noon?"
    assert of("Subject: x\n\n") == ""


def test_its_length():
    """At most 200 characters, cut between words where there are any."""
    words = of("\n" + "seven " * 100)
    assert 200 - 30 < len(words) <= LONGEST and words.endswith("seven") and not words.endswith(" ")
    assert of("\n" + "ü" * 1000) == "ü" * 200


def test_a_reply():
    """What somebody else wrote is not the message, unless there is nothing else."""
    assert of("\nYes, gladly.\n\nOn Monday, Chris wrote:\n\n> Lunch?\n> At noon?\n") == "Yes, gladly."
    assert of("\nOn Monday, Chris wrote:\n> Lunch?\n\nYes.\n> At noon?\nYes.\n") == "Yes. Yes."
    assert of("\nOn Monday, Chris wrote:\n> Lunch?\n") == "On Monday, Chris wrote: > Lunch?"


def test_encodings_and_charsets():
    """Base64, quoted-printable and charsets are taken off."""
    encoded = base64.b64encode("Grüße aus Köln".encode("iso-8859-1")).decode()
    assert of(part("text/plain; charset=iso-8859-1", encoded, "Content-Transfer-Encoding: base64")) == "Grüße aus Köln"
    assert of(part("text/plain; charset=utf-8", "caf=C3=A9", "Content-Transfer-Encoding: quoted-printable")) == "café"
    assert of(part("text/plain; charset=utf-7", "+2AA-", "MIME-Version: 1.0")).isprintable()


def test_a_character_cut_in_two():
    """A long text is only read as far as needed, wherever that falls."""
    for shift in range(4):
        text = "a" * shift + "€" * 100_000
        assert of(part("text/plain; charset=utf-8", text, "Content-Transfer-Encoding: 8bit")) == text[:200]


def test_html():
    """HTML is shown as the words a person sees; the plain form is taken where there is one with words."""
    html = part("text/html", "<style>p{}</style><p>Dear&nbsp;Robin</p><blockquote>old</blockquote>")
    assert of(html) == "Dear Robin"
    assert of(multipart("alternative", part("text/plain", "plain words"), html)) == "plain words"
    assert of(multipart("alternative", part("text/plain", " \n"), html)) == "Dear Robin"
    assert of(part("text/html", "<blockquote>all of it</blockquote>")) == "all of it"


def test_padding():
    """Characters that nobody sees do not use up the room, and joiners in an emoji stay."""
    padded = part("text/html; charset=utf-8", "Half price&nbsp;&zwnj;&nbsp;&zwnj;&#8203; <p>News</p>")
    assert of(padded) == "Half price News"
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert of(part("text/plain; charset=utf-8", f"{family} at home")) == f"{family} at home"
    assert of(part("text/plain; charset=utf-8", "evil\u202egpj.exe\x07")) == "evilgpj.exe"


def test_voice():
    """A voice message says how long it plays, and then what the sender wrote or the system heard."""
    assert of(VOICE) == "Voice message (0:14)"
    assert of(multipart("mixed", VOICE)) == "Voice message (0:14)"
    assert of(multipart("mixed", part("text/plain", "Call me back"), VOICE)) == "Voice message (0:14) Call me back"
    gsm = part("audio/gsm", "\xd0" * 33, "Content-Transfer-Encoding: 8bit").encode("latin-1")
    assert of(gsm) == "Voice message"


def test_music():
    """A song is not a voice message, unless the header says so."""
    octets = base64.b64encode(b"ID3" + bytes(9)).decode()
    song = part("audio/mpeg; name=song.mp3", octets, "Content-Transfer-Encoding: base64")
    assert of(multipart("mixed", part("text/plain", "Listen to this"), song)) == "Listen to this"
    assert of(song) == "Recording"
    assert of("Message-Context: voice-message\n" + song) == "Voice message"


def test_without_text():
    """A fax, a file or another message is called what it is."""
    tiff = part("image/tiff; name=fax.tif", base64.b64encode(b"II*\0").decode(), "Content-Transfer-Encoding: base64")
    assert of("Message-Context: fax-message\n" + multipart("mixed", tiff)) == "Fax"
    assert of(tiff) == "Fax"
    assert of(part("application/pdf; name=\"offer 7.pdf\"", "x")) == "Attachment: offer 7.pdf"
    assert of(part("message/rfc822", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\nhello")) == "Enclosed message: Grüße"
    assert of(part("message/rfc822", "\nhello")) == "Enclosed message"
    assert of(part("application/octet-stream", "x")) == ""


def test_attached_text_is_not_the_message():
    """A text file sent along is not taken for what the sender wrote."""
    log = part("text/plain", "ERROR 17", "Content-Disposition: attachment; filename=log.txt")
    assert of(multipart("mixed", part("text/plain", "See below"), log)) == "See below"
    assert of(multipart("mixed", log)) == "Attachment: log.txt"


@pytest.mark.parametrize("kind", ["encrypted; protocol=\"application/pgp-encrypted\"", "mixed"])
def test_encrypted(kind):
    """Nothing is said of what is encrypted (RFC 8970 3.2)."""
    sealed = part("application/pkcs7-mime; name=smime.p7m", "x")
    assert of(multipart(kind, part("application/pgp-encrypted", "Version: 1"), sealed)) == ""
    assert of(sealed) == ""


def test_signed():
    """A signature is about the message, not in it."""
    signature = part("application/pgp-signature", "-----BEGIN")
    assert of(multipart("signed", part("text/plain", "as agreed"), signature)) == "as agreed"


def test_time_is_bounded():
    """Whatever a stranger sends, a preview takes little time."""
    for body in ("\u200b" * 60_000, ">\n" * 60_000, "\u200b " * 60_000, "&zwnj;" * 20_000, "<blockquote>" * 10_000):
        for kind in ("plain", "html"):
            begun = time.process_time()
            of(part(f"text/{kind}; charset=utf-8", body))
            assert time.process_time() - begun < 1


CHARSETS = ["", "utf-8", "utf-16", "utf-7", "x"]


@given(st.binary(max_size=300), st.sampled_from(["plain", "html"]), st.sampled_from(CHARSETS))
def test_anything_at_all(body, kind, charset):
    """Any octets give one short line that UTF-8 can carry."""
    octets = f"Content-Type: text/{kind}; charset={charset}\r\n\r\n".encode() + body
    words = preview(octets, scan(octets))
    assert len(words) <= LONGEST and not set(words) & set("\r\n\0")
    words.encode()
