"""What a VPIM message holds, part by part: pure tables, and garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.structure import scan
from unitymail.mail.vpim.inbound import contents_of


def part(kind, voice="", extra="", body="x"):
    disposition = f"Content-Disposition: inline; voice={voice}\r\n" if voice else ""
    return f"Content-Type: {kind}\r\n{disposition}{extra}\r\n{body}"


def multipart(*parts, kind="voice-message", boundary="b"):
    inside = "".join(f"--{boundary}\r\n{one}\r\n" for one in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{inside}--{boundary}--\r\n'


def held(message):
    """A readable form of the contents; each part as the last character of its body."""
    octets = message.encode()

    def last(one):
        return octets[one.body:one.end].decode().strip()[-1:]

    def form(contents):
        return (
            "".join(map(last, contents.audio)), "".join(map(last, contents.faxes)),
            [form(inner) for inner in contents.forwarded], len(contents.enclosed),
            last(contents.spoken_name) if contents.spoken_name else "", contents.removed,
        )

    return form(contents_of(scan(octets).root))


ADPCM = "Audio/32KADPCM"


@pytest.mark.parametrize(("message", "expected"), [
    (multipart(part(ADPCM, "Originator-Spoken-Name", body="n"), part(ADPCM, "Voice-Message", body="1")),
     ("1", "", [], 0, "n", [])),
    (multipart(part(ADPCM, "VOICE-MESSAGE", body="1"), part("audio/basic", body="2"), part(ADPCM, "Odd", body="3")),
     ("123", "", [], 0, "", [])),
    (multipart(part(ADPCM, "Spoken-Subject", body="s"), part(ADPCM, "Recipient-Spoken-Name", body="r")),
     ("", "", [], 0, "", [])),
    (multipart(part(ADPCM, body="1"), part("image/tiff; application=faxbw", body="f"), part("text/vcard", body="v")),
     ("1", "f", [], 0, "", ["text/vcard"])),
    (multipart(part("text/plain"), multipart(part(ADPCM, body="1"), boundary="in"),
               part('application/pdf; name="agenda.pdf"'), kind="mixed"),
     ("1", "", [], 0, "", ["text/plain", "agenda.pdf"])),
    (multipart(part(ADPCM, body="1"), part("message/rfc822", body=multipart(part(ADPCM, body="2"), boundary="in"))),
     ("1", "", [("2", "", [], 0, "", [])], 0, "", [])),
    (multipart(part(ADPCM, body="1"), part("message/rfc822", body="Subject: words\r\n\r\nwords")),
     ("1", "", [], 1, "", [])),
    (multipart(multipart(part(ADPCM, body="1"), part("audio/wav", body="2"), kind="alternative", boundary="in")),
     ("2", "", [], 0, "", [])),
    (multipart(multipart(part("text/plain"), part("text/html"), kind="alternative", boundary="in")),
     ("", "", [], 0, "", ["text/plain", "text/html"])),
    (multipart(part(ADPCM, body="1"), part("application/pkcs7-signature"), kind="signed"),
     ("1", "", [], 0, "", [])),
    (multipart(part('application/octet-stream; name="a.wav"', body="1")), ("1", "", [], 0, "", [])),
    (part(ADPCM, body="1"), ("1", "", [], 0, "", [])),
])  # fmt: skip
def test_what_is_held(message, expected):
    """Order is kept, names are apart, what has no place is named, forwarded messages keep their structure."""
    assert held(message) == expected


def test_the_first_spoken_name_counts():
    """RFC 3801 4.3.2 allows one; a second is neither a message nor the name."""
    twice = multipart(part(ADPCM, "Originator-Spoken-Name", body="n"), part(ADPCM, "Originator-Spoken-Name", body="m"))
    assert held(twice) == ("", "", [], 0, "n", [])


def test_everything_in_order():
    """A message within a message within a message is heard in that order, and a fax inside counts as fax."""
    inmost = multipart(part(ADPCM, body="3"), part("image/tiff", body="f"), boundary="c")
    inner = multipart(part(ADPCM, body="2"), part("message/rfc822", body=inmost), boundary="d")
    octets = multipart(part(ADPCM, body="1"), part("message/rfc822", body=inner)).encode()
    contents = contents_of(scan(octets).root)
    assert [octets[one.audio[0].body:one.audio[0].end] for one in contents.everything()] == [b"1", b"2", b"3"]
    assert contents.has_fax
    assert not contents.is_empty


@given(st.one_of(st.binary(max_size=2_000), garbage))
def test_garbage_is_contents_too(octets):
    """Whatever the octets are, there are contents; nothing raises."""
    contents = contents_of(scan(octets).root)
    assert contents.is_empty or any(one.audio or one.faxes for one in contents.everything())
