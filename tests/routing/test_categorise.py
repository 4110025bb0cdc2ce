"""Voice, e-mail, fax or receipt: each rule, its exceptions and the ties between them."""

import base64
import mmap
import tempfile
from pathlib import Path

import pytest
from hypothesis import given

from tests.mail.garbage import garbage
from unitymail.mail.message import Category, Importance, Sensitivity
from unitymail.routing.categorise import RULES, read

VECTORS = Path(__file__).parent.parent / "vectors"
SECURE = (("x-unity-secure", "true"),)
WAV = b"RIFF\x24\0\0\0WAVEfmt "
MP3 = b"ID3\x04rest"
TIFF = b"II*\0rest"
VOICE, EMAIL, FAX, RECEIPT = Category.VOICE, Category.EMAIL, Category.FAX, Category.RECEIPT


def leaf(kind, content=b"", *, name="", disposition="attachment", extra=""):
    """A base64 part."""
    fields = [f"Content-Type: {kind}", "Content-Transfer-Encoding: base64"]
    if name or disposition:
        fields.append(f"Content-Disposition: {disposition or 'inline'}" + (f'; filename="{name}"' if name else ""))
    if extra:
        fields.append(extra)
    return "\r\n".join(fields).encode() + b"\r\n\r\n" + base64.encodebytes(content).replace(b"\n", b"\r\n")


def many(kind, *parts, boundary=b"b"):
    """A multipart of these parts."""
    inside = b"".join(b"\r\n--" + boundary + b"\r\n" + part for part in parts)
    return b"Content-Type: " + kind.encode() + b"; boundary=" + boundary + b"\r\n\r\n" + inside + b"\r\n--" + boundary \
        + b"--\r\n"


def inner(entity):
    return b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n" + entity


TEXT = b"Content-Type: text/plain\r\n\r\nhello"
HTML = b"Content-Type: text/html\r\n\r\n<img src=\"cid:logo%40x\">"
LOGO = leaf("image/png", b"\x89PNG", name="logo.png", disposition="inline", extra="Content-ID: <logo@x>")
PDF = leaf("application/pdf", b"%PDF", name="a.pdf")
RECORDING = leaf("audio/wav", WAV, name="recording.wav")
MARKED = leaf("audio/wav", WAV, name="VoiceMessage.wav")
TUNE = leaf("audio/mpeg", MP3, name="tune.mp3")
PAGES = leaf("image/tiff; application=faxbw", TIFF)
SCAN = leaf("image/tiff", TIFF, name="scan.tif")


def verdict(entity, *fields):
    message = read("".join(f"{field}\r\n" for field in ("From: a@b", *fields)).encode() + entity, SECURE)
    return message.category, message.rule


STATUS = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n"
READ = b"Content-Type: Message/Disposition-Notification\r\n\r\nFinal-Recipient: rfc822; a@b\r\n"


@pytest.mark.parametrize(("entity", "expected"), [
    (many("multipart/report; report-type=delivery-status", TEXT, STATUS), (RECEIPT, "R1")),
    (many("Multipart/REPORT; Report-Type=Disposition-Notification", TEXT, READ), (RECEIPT, "R1")),
    (many("multipart/report", TEXT, b"Content-Type: message/global-delivery-status\r\n\r\nx"), (RECEIPT, "R1")),
    (STATUS, (RECEIPT, "R1")),
    (READ, (RECEIPT, "R1")),
    (many("multipart/report; report-type=feedback-report", TEXT, STATUS), (EMAIL, "R7")),
    (many("multipart/report; report-type=delivery-status", TEXT, TEXT), (EMAIL, "R7")),
    (many("multipart/mixed", TEXT, STATUS), (EMAIL, "R7")),
    (many("multipart/report; report-type=delivery-status", TEXT, many("multipart/mixed", STATUS, boundary=b"c")),
     (EMAIL, "R7")),
    (many("multipart/report; report-type=delivery-status", MARKED, STATUS), (RECEIPT, "R1")),
    (many("multipart/signed", many("multipart/report", TEXT, STATUS, boundary=b"c"), PDF), (RECEIPT, "R1")),
])
def test_r1_receipts(entity, expected):
    """A report is one by its type and a status part directly inside; a spoken one is a receipt too."""
    assert verdict(entity) == expected
    assert verdict(entity, "Message-Context: text-message")[0] is expected[0]


def test_auto_submitted_is_no_receipt():
    """A vacation reply is e-mail."""
    assert verdict(TEXT, "Auto-Submitted: auto-replied") == (EMAIL, "R7")


@pytest.mark.parametrize("kind", ["application/pkcs7-mime; smime-type=enveloped-data", "application/x-pkcs7-mime"])
def test_r2_opaque(kind):
    """What is encrypted is e-mail, also when a hint says voice."""
    assert verdict(leaf(kind, b"x", name="smime.p7m"), "Message-Context: voice-message") == (EMAIL, "R2")
    assert verdict(many("multipart/encrypted", TEXT, MARKED), "Content-Class: voice") == (EMAIL, "R2")


VPIM = "multipart/voice-message; version=2.0"
ADPCM = leaf("Audio/32KADPCM", b"\x11\x22", disposition="inline; voice=Voice-Message")


@pytest.mark.parametrize(("entity", "fields", "expected"), [
    (many(VPIM, ADPCM), (), VOICE),
    (many(VPIM, leaf("audio/vnd.octel.sbc", b"?")), (), VOICE),
    (many(VPIM, leaf("audio/vnd.octel.sbc", b"")), (), VOICE),
    (many(VPIM, PAGES), (), FAX),
    (many(VPIM, ADPCM, PAGES), (), VOICE),
    (many(VPIM, ADPCM, PAGES), ("Message-Context: Fax-Message (x)",), FAX),
    (many(VPIM, inner(many(VPIM, ADPCM, boundary=b"c"))), (), VOICE),
    (many(VPIM, TEXT, PDF), (), EMAIL),
    (many("multipart/mixed", TEXT, many(VPIM, ADPCM, boundary=b"c"), PDF), (), VOICE),
    (many(VPIM, leaf("application/octet-stream", WAV, name="a.wav")), (), VOICE),
    (many(VPIM, ADPCM), ("Message-Context: text-message",), VOICE),
])
def test_r3_vpim(entity, fields, expected):
    """A multipart/voice-message at the root or under multipart/mixed; declared audio suffices there."""
    assert verdict(entity, *fields) == (expected, "R3")


def test_r3_not_inside_a_message():
    """A VPIM message that somebody attached does not make the outer one voice."""
    assert verdict(many("multipart/mixed", TEXT, inner(many(VPIM, ADPCM, boundary=b"c")))) == (EMAIL, "R7")
    assert verdict(many("multipart/related", TEXT, many(VPIM, ADPCM, boundary=b"c")))[1] != "R3"


HINTED_TUNE = many("multipart/mixed", TEXT, TUNE, PDF)


@pytest.mark.parametrize(("entity", "fields", "expected"), [
    (HINTED_TUNE, (), (EMAIL, "R7")),
    (HINTED_TUNE, ("Message-Context: Voice-Message",), (VOICE, "R4")),
    (HINTED_TUNE, ("message-context:  voice-message (IVM)",), (VOICE, "R4")),
    (HINTED_TUNE, ("Content-Class: Voice-CA",), (VOICE, "R4")),
    (HINTED_TUNE, ("Content-Class: voice-uc",), (VOICE, "R4")),
    (HINTED_TUNE, ("X-VoiceMessageDuration: 3",), (VOICE, "R4")),
    (HINTED_TUNE, ("X-Asterisk-VM-Duration: 3",), (VOICE, "R4")),
    (HINTED_TUNE, ("Content-Class: urn:content-classes:message", "X-VoiceMessageDuration: 3"), (VOICE, "R4")),
    (HINTED_TUNE, ("Message-Context: gibberish", "Content-Class: voice"), (VOICE, "R4")),
    (HINTED_TUNE, ("Message-Context: text-message", "Content-Class: voice"), (EMAIL, "R4")),
    (HINTED_TUNE, ("Message-Context: none", "X-FaxNumberOfPages: 1"), (EMAIL, "R4/R7")),
    (HINTED_TUNE, ("Message-Context: text-message", "Message-Context: voice-message"), (EMAIL, "R4")),
    (MARKED, ("Message-Context: pager-message",), (EMAIL, "R4")),
    (MARKED, ("Message-Context: video-message",), (EMAIL, "R4")),
    (MARKED, ("Content-Class: missedcall",), (EMAIL, "R4")),
    (TEXT, ("Message-Context: voice-message",), (EMAIL, "R4/R7")),
    (many("multipart/mixed", TEXT, inner(MARKED)), ("Message-Context: voice-message",), (VOICE, "R4")),
    (many("multipart/mixed", TEXT, inner(MARKED)), (), (EMAIL, "R7")),
    (many("multipart/mixed", TEXT, SCAN, PDF), ("Message-Context: fax-message",), (FAX, "R4")),
    (many("multipart/mixed", TEXT, SCAN, PDF), ("X-FaxNumberOfPages: 2",), (FAX, "R4")),
    (leaf("image/tiff", b"GIF89a"), ("Message-Context: fax-message",), (EMAIL, "R4/R7")),
    (MARKED, ("Message-Context: fax-message",), (VOICE, "R4/R5")),
    (PAGES, ("Message-Context: voice-message",), (FAX, "R4/R6")),
    (application := leaf("application/ogg", b"OggS", name="x.ogg"), ("X-Asterisk-VM-Priority: 2",), (VOICE, "R4")),
    (application, (), (EMAIL, "R7")),
    (leaf("audio/wav", b"no sound", name="VoiceMessage.wav"), ("Content-Class: voice",), (EMAIL, "R4/R7")),
])
def test_r4_hints(entity, fields, expected):
    """The first header that says something known is believed if the content agrees; else it is dropped."""
    assert verdict(entity, *fields) == expected


@pytest.mark.parametrize(("entity", "expected"), [
    (MARKED, VOICE),
    (many("multipart/mixed", TEXT, MARKED, PDF), VOICE),
    (many("multipart/mixed", TEXT, leaf("audio/mpeg", MP3, name="Voice Message (3).WAV"), PDF), VOICE),
    (many("multipart/mixed", TEXT, leaf("audio/x-wav", WAV, name="msg0007.wav"), PDF), VOICE),
    (many("multipart/mixed", TEXT, leaf("audio/x-wav", WAV, name="msg7.wav"), PDF), EMAIL),
    (many("multipart/mixed", TEXT, leaf("audio/wav", WAV, extra="Content-Description: Sound attachment."), PDF), VOICE),
    (many("multipart/mixed", TEXT,
          leaf("audio/wav", WAV, extra="Content-Description: voicemail\r\n\tsound attachment."), PDF), VOICE),
    (many("multipart/mixed", leaf("audio/wav", WAV, disposition="inline; voice=voice-message"), PDF), VOICE),
    (many("multipart/mixed", leaf("audio/wav", b"no sound", name="VoiceMessage.wav"), PDF), EMAIL),
    (RECORDING, VOICE),
    (many("multipart/mixed", TEXT, RECORDING), VOICE),
    (many("multipart/mixed", TEXT, RECORDING, RECORDING), VOICE),
    (many("multipart/mixed", TEXT, RECORDING, PDF), EMAIL),
    (many("multipart/mixed", TEXT, RECORDING, inner(TEXT)), EMAIL),
    (many("multipart/mixed", TEXT, RECORDING, TUNE), EMAIL),
    (many("multipart/mixed", TEXT, RECORDING, PAGES), VOICE),
    (many("multipart/mixed", TEXT, RECORDING, SCAN), EMAIL),
    (many("multipart/mixed", TEXT, TUNE), EMAIL),
    (many("multipart/mixed", HTML, RECORDING, LOGO), VOICE),
    (many("multipart/mixed", TEXT, RECORDING, LOGO), EMAIL),
    (many("multipart/mixed", leaf("text/plain", b"x", name="notes.txt"), RECORDING), EMAIL),
    (leaf("application/octet-stream", WAV, name="voicemessage-1.wav"), VOICE),
    (leaf("application/octet-stream", WAV, name="rec.wav"), VOICE),
    (leaf("application/octet-stream", b"no sound", name="rec.wav"), EMAIL),
    (leaf("audio/32kadpcm", b"\x01"), VOICE),
    (many("multipart/signed", many("multipart/mixed", TEXT, MARKED, boundary=b"c"), PDF), VOICE),
    (many("multipart/mixed", many("multipart/signed", RECORDING, PDF, boundary=b"c")), VOICE),
])
def test_r5_voice_by_structure(entity, expected):
    """Marked audio, or telephone audio and nothing else but body text, its images, and fax pages."""
    assert verdict(entity) == (expected, "R5" if expected is VOICE else "R7")


@pytest.mark.parametrize(("entity", "fields", "expected"), [
    (PAGES, (), FAX),
    (many("multipart/mixed", TEXT, PAGES, PAGES), (), FAX),
    (leaf("image/tiff; application=FaxColor", TIFF), (), FAX),
    (leaf("image/tiff", TIFF, name="Fax0001.tif"), (), FAX),
    (SCAN, (), EMAIL),
    (SCAN, ("To: <FAX=+14085550142@vm1.example.com>",), FAX),
    (SCAN, ("To: x@y, Fax <fax=+1408@vm1.example.com>",), FAX),
    (SCAN, ("Subject: FAX=+1",), EMAIL),
    (many("multipart/mixed", PAGES, PDF), (), EMAIL),
    (leaf("image/tiff; application=faxbw", b"no image"), (), EMAIL),
])
def test_r6_fax_by_structure(entity, fields, expected):
    """Fax pages and nothing else, told by parameter, name or address."""
    assert verdict(entity, *fields) == (expected, "R6" if expected is FAX else "R7")


def test_rules_are_in_the_order_of_the_design():
    """R1 before R2 before … R6; what is left is R7."""
    assert [name for name, _ in RULES] == ["R1", "R2", "R3", "R4", "R5", "R6"]


def test_beyond_a_limit_is_email():
    """A message that was not read to its end is e-mail, whatever was seen of it."""
    octets = b"From: a@b\r\n" + many("multipart/mixed", MARKED, *[b"\r\nx"] * 1100)
    message = read(octets, SECURE)
    assert (message.category, message.rule, message.malformed) == (EMAIL, "R7", True)


def test_header_facts():
    """Senders, subject, date, id, hops and marks come from the same one look."""
    octets = (
        b"Received: from x by VM1.example.com with ESMTP\r\nReceived: from y\r\n\tby vm1.example.com.evil.net\r\n"
        b"Received: from z by vm1.example.com; today\r\n"
        b'From: =?utf-8?q?J=C3=B6rg?= <j@example.com>, "Doe" <d@example.com>\r\nFrom: late@example.com\r\n'
        b"Sender: Robin <robin@example.com>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n x\r\n"
        b"Date: Mon, 10 Mar 2014 09:15:22 -0400\r\nMessage-ID: <1@x>\r\nAuto-Submitted: auto-generated; x=y\r\n"
        b"X-Priority: 1\r\nSensitivity: Private\r\nX-Unity-Secure: false\r\nx-unity-secure: YES\r\n\r\nbody"
    )
    message = read(octets, SECURE, host="vm1.example.com")
    assert message.header_from == ("j@example.com", "d@example.com", "late@example.com")
    assert message.header_sender == ("robin@example.com",)
    assert (message.display_from, message.subject, message.has_subject) == ("Jörg", "Grüße x", True)
    assert (message.date, message.message_id) == ("Mon, 10 Mar 2014 09:15:22 -0400", "<1@x>")
    assert (message.received, message.hops_here) == (3, 2)
    assert (message.importance, message.sensitivity, message.secure) == (Importance.HIGH, Sensitivity.PRIVATE, True)
    assert (message.size, message.malformed, message.encloses_private) == (len(octets), False, False)


def test_absent_header_facts():
    """What is not there is empty; an empty Subject is a Subject."""
    message = read(b"Subject:\r\n\r\n", SECURE)
    assert (message.header_from, message.header_sender, message.display_from) == ((), (), "")
    assert (message.subject, message.has_subject, message.hops_here) == ("", True, 0)
    assert not read(b"From: a@b\r\n\r\n", SECURE).has_subject


def test_senders_without_a_domain():
    """`Doe, John <j@d>` without quotes is one sender; a name alone is better than nothing."""
    assert read(b"From: Doe, John <j@d>\r\n\r\n", SECURE).header_from == ("j@d",)
    assert read(b"From: root\r\n\r\n", SECURE).header_from == ("root",)


@pytest.mark.parametrize(
    ("header", "cut"),
    [
        (b"From: robin@a\r\nSubject: " + b"x" * 70_000, False),
        (b"From: " + b"robin@a, " * 8_000 + b"chris@a", True),
        (b"From: robin@a (" + b"x" * 70_000 + b"), chris@a", True),
        (b"From: robin@a,\r\n" + b" robin@a,\r\n" * 8_000 + b" chris@a", True),
        (b"From: robin@a\r\nSender: " + b"robin@a, " * 8_000 + b"chris@a", True),
        (b"From: robin@a\r\n" + (b"X: " + b"x" * 60_000 + b"\r\n") * 5 + b"From: chris@a", True),
        ((b"X: " + b"x" * 60_000 + b"\r\n") * 5 + b"From: chris@a", True),
    ],
)
def test_authors_beyond_the_limits(header, cut):
    """A message tells when From or Sender may hold more than was read, so that nobody is believed by omission."""
    assert read(header + b"\r\n\r\nHi.\r\n", SECURE).authors_cut is cut


def test_confidential_is_secure_only_by_setting():
    """Company-Confidential marks a message secure where the site says so."""
    octets = b"From: a@b\r\nSensitivity: Company-Confidential\r\n\r\n"
    assert not read(octets, SECURE).secure
    assert read(octets, SECURE, secure_confidential=True).secure


def test_raw_8bit_subject_takes_the_body_charset():
    """Senders that put raw octets in a Subject use the charset of their text."""
    octets = b"Subject: " + "привет".encode("koi8-r") + b"\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nx"
    assert read(octets, SECURE).subject == "привет"


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.eml")), ids=lambda path: path.name)
def test_a_mapped_file_reads_the_same(path):
    """A message on disk is read in place, with the same facts; the map can be closed after."""
    octets = path.read_bytes()
    if not octets:
        return
    with tempfile.TemporaryFile() as file:
        file.write(octets)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        assert read(mapped, SECURE, host="vm1.example.com") == read(octets, SECURE, host="vm1.example.com")
        mapped.close()


@given(garbage)
def test_garbage(octets):
    """Anything is something."""
    message = read(octets, SECURE, host="x")
    assert message.size == len(octets)
    assert not set(message.subject + message.message_id + message.date) & set("\r\n\0")


@pytest.mark.parametrize("octets", [
    b"From: " + b"a@b, " * 1_000_000 + b"\r\n\r\n",
    b"From: a@b\r\n" * 500_000 + b"\r\n",
    b"Received: by x\r\n" * 300_000 + b"\r\n",
    b"Content-Type: text/html\r\n\r\n" + b"cid:" * 1_000_000,
    b"Content-Type: message/rfc822\r\n\r\n" * 50_000,
    b"Sensitivity: " + b"(" * 1_000_000 + b"\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n" * 50_000,
])
def test_floods_end_soon(octets):
    """Messages made to hurt are read in one pass."""
    read(octets, SECURE, host="x")


def test_who_wants_a_receipt():
    """Voice and fax whose sender asks, and is a person: for e-mail the client answers, machines get no answer."""
    voice = (VECTORS / "viewmail_voice.eml").read_bytes()
    ask, machine = b"Disposition-Notification-To: <a@b.example>\r\n", b"Auto-Submitted: auto-generated\r\n"
    assert not read(voice, ()).asks_receipt
    assert read(ask + voice, ()).asks_receipt
    assert not read(ask + machine + voice, ()).asks_receipt
    assert not read(ask + (VECTORS / "email_plain.eml").read_bytes(), ()).asks_receipt
