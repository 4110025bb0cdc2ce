"""What of a message goes to a voice-mail system, what is named as left out, what makes it go back."""

import base64

import pytest
from hypothesis import given

from tests.mail.garbage import garbage
from tests.sound import VECTORS
from unitymail.mail.structure import scan
from unitymail.mail.vpim.selection import Refused, Selection, Voice, select

WAV = (VECTORS / "audio" / "message_ulaw.wav").read_bytes()[:100]
FAX = (VECTORS / "audio" / "fax_2p_profile_s.tif").read_bytes()


def part(kind, octets=b"x", disposition=""):
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
    head += f"Content-Disposition: {disposition}\r\n" if disposition else ""
    return head.encode() + b"\r\n" + base64.encodebytes(octets).replace(b"\n", b"\r\n")


def multi(*parts, kind="mixed", boundary="b", head=""):
    inside = b"".join(b"--%b\r\n%b" % (boundary.encode(), one) for one in parts)
    top = f"Content-Type: multipart/{kind}; boundary={boundary}\r\n{head}\r\n".encode()
    return top + inside + b"--%b--\r\n" % boundary.encode()


def mail(*parts, **how):
    return b"From: a@example.com\r\n" + multi(*parts, **how)


def selected(octets, fax=True, swapped=False):
    return select(octets, scan(octets), fax=fax, swapped=swapped)


TEXT = part("text/plain")
HTML = part("text/html")
VOICE = part('audio/wav; name="VoiceMessage.wav"', WAV, "attachment")
PAGES = part("image/tiff", FAX, 'attachment; filename="fax.tif"')
WORD = part("application/msword", b"x", 'attachment; filename="minutes.doc"')
CARD = part("text/vcard", b"BEGIN:VCARD", "attachment")
REQUIRED = part("application/msword", b"x", 'attachment; filename="minutes.doc"; handling=REQUIRED')


def forms(voice):
    return [form for _, form in voice.sounds] if voice else None


@pytest.mark.parametrize(("octets", "message", "faxes", "removed"), [
    (mail(TEXT, VOICE), ["wav"], 0, ()),
    (mail(multi(TEXT, HTML, kind="alternative", boundary="c"), VOICE), ["wav"], 0, ()),
    (mail(TEXT, VOICE, WORD), ["wav"], 0, ("minutes.doc",)),
    (mail(TEXT, VOICE, CARD), ["wav"], 0, ()),
    (mail(VOICE, part("text/calendar")), ["wav"], 0, ("text/calendar",)),
    (mail(VOICE, PAGES), ["wav"], 1, ()),
    (mail(PAGES, TEXT), None, 1, ()),
    (mail(VOICE, part("image/tiff", b"II*\0" + bytes(8), "attachment; filename=p.tif")), ["wav"], 0, ("p.tif",)),
    (mail(VOICE, part("image/png", b"x", 'attachment; filename="a.png"')), ["wav"], 0, ("a.png",)),
    (mail(VOICE, part("audio/midi", b"MThd", 'attachment; filename="tune.mid"')), ["wav"], 0, ("tune.mid",)),
    (mail(VOICE, part("audio/basic", b"\xff")), ["wav", "mu-law"], 0, ()),
    (mail(VOICE, part("audio/basic", b"\xff"), kind="alternative"), ["mu-law"], 0, ()),
    (mail(multi(TEXT, VOICE, boundary="c"), part("application/pkcs7-signature", b"x", "attachment; filename=smime.p7s"),
          kind="signed"), ["wav"], 0, ("smime.p7s",)),
    (mail(TEXT, VOICE, part("text/plain", b"x", "attachment; filename=notes.txt")), ["wav"], 0, ("notes.txt",)),
])
def test_parts(octets, message, faxes, removed):
    """Voice and pages go; text and what belongs to it goes without a word; what the sender will miss is named."""
    selection = selected(octets)
    assert isinstance(selection, Selection)
    assert (forms(selection.message), len(selection.faxes), selection.removed) == (message, faxes, removed)


def test_roles():
    """Recorded name and spoken subject have their own places; the recipient's recorded name stays behind, silently."""
    def spoken(role):
        return part("audio/32KADPCM", b"\x01", f"inline; voice={role}")

    selection = selected(mail(
        spoken("Originator-Spoken-Name"), spoken("recipient-spoken-name"), spoken("SPOKEN-SUBJECT"),
        spoken("Voice-Message"), spoken("something-new"), kind="voice-message",
    ))
    assert [forms(v) for v in (selection.name, selection.subject, selection.message)] == [
        ["g726"], ["g726"], ["g726", "g726"]
    ]
    assert selection.removed == ()
    assert selected(mail(spoken("Originator-Spoken-Name"), kind="voice-message")).status == "5.6.1"
    twice = selected(mail(*[spoken("Originator-Spoken-Name")] * 2, *[spoken("Spoken-Subject")] * 2,
                          spoken("Voice-Message"), kind="voice-message"))
    assert (forms(twice.name), forms(twice.subject)) == (["g726"], ["g726"])


def enclosed(octets):
    return b"Content-Type: message/rfc822\r\n\r\n" + octets + b"\r\n"


def test_forwarded():
    """A forwarded message with a voice stays one; one without is left out, and so is what the first one loses."""
    inner = multi(TEXT, VOICE, WORD, boundary="c")
    selection = selected(mail(TEXT, enclosed(inner), enclosed(multi(TEXT, WORD, boundary="d"))))
    assert selection.message is None
    assert [forms(one.message) for one in selection.enclosed] == [["wav"]]
    assert selection.removed == ("minutes.doc", "an enclosed message")
    assert [forms(voice) for voice in selection.voices()] == [["wav"]]


@pytest.mark.parametrize(("octets", "status"), [
    (mail(TEXT, WORD), "5.6.1"), (mail(VOICE, REQUIRED), "5.6.1"),
    (mail(VOICE, part("text/plain", b"x", "inline; handling=required")), "5.6.1"),
    (mail(VOICE, part("application/x", b"x", "attachment; criticality=CRITICAL")), "5.6.1"),
    (mail(VOICE, multi(TEXT, HTML, boundary="c", head="Content-Disposition: inline; handling=REQUIRED\r\n")), "5.6.1"),
    (mail(part("audio/vnd.octel.sbc", b"x"), kind="voice-message"), "5.6.1"),
    (mail(VOICE, part("audio/vnd.octel.sbc", b"x"), kind="voice-message"), "5.6.1"),
    (mail(VOICE, part("audio/vnd.octel.sbc", b"x", "inline; voice=Voice-Message")), "5.6.1"),
    (mail(part("application/pdf", b"x"), kind="voice-message"), "5.6.1"),
    (b"", "5.6.0"), (b"\r\ntext", "5.6.0"), (b"Subject: x\r\n\r\n\0", "5.6.0"),
    (b"Content-Type: multipart/mixed; boundary=b\r\n\r\ntext", "5.6.0"),
    (b"Content-Type: multipart/mixed\r\n\r\ntext", "5.6.0"),
    ((VECTORS / "broken_nesting_1500.eml").read_bytes(), "5.6.0"),
])
def test_what_goes_back(octets, status):
    """Nothing to hear or see, a part that must not be lost, a codec nobody knows, octets nobody can read."""
    refused = selected(octets)
    assert isinstance(refused, Refused)
    assert refused.status == status


def test_required_but_carried():
    """A part marked as required that goes is no obstacle, nor is a required multipart of which something goes."""
    required = part("audio/wav", WAV, "attachment; handling=REQUIRED")
    assert selected(mail(TEXT, required)).removed == ()
    group = multi(TEXT, VOICE, boundary="c", head="Content-Disposition: inline; handling=REQUIRED\r\n")
    assert selected(mail(group)).removed == ()
    lost = multi(TEXT, HTML, boundary="d", head="Content-Disposition: inline; handling=REQUIRED\r\n")
    assert selected(mail(group, lost)).status == "5.6.1"


def test_no_fax():
    """A location that takes no fax: pages are named beside a voice, and are nothing alone."""
    assert selected(mail(VOICE, PAGES), fax=False).removed == ("fax.tif",)
    assert selected(mail(TEXT, PAGES), fax=False).status == "5.6.1"


def test_order_of_exchange():
    """X-AttachmentOrder lists the newest recording first: the last one is played first, one it does not name last."""
    def named(name):
        return part(f'audio/wav; name="{name}.wav"', WAV, "attachment")

    octets = b"X-AttachmentOrder: c.wav; b.WAV;a.wav\r\n" + mail(named("c"), named("new"), named("a"), named("b"))
    assert [one.filename for one, _ in selected(octets).message.sounds] == ["a.wav", "b.wav", "c.wav", "new.wav"]


def test_language():
    """The language is known when all recordings say the same."""
    def said(language):
        return VOICE.replace(b"\r\n\r\n", b"\r\nContent-Language: %b\r\n\r\n" % language, 1)

    assert selected(mail(said(b"de"), said(b"de"))).message.language.strip() == b"de"
    assert selected(mail(said(b"de"), said(b"fr"))).message.language is None


def test_without_what_is_empty():
    """A recording that turns out to hold nothing is taken away, and so is a forwarded message of nothing else."""
    selection = selected(mail(VOICE, enclosed(multi(VOICE, boundary="c"))))
    first, second = selection.voices()
    assert selection.without([second]).enclosed == ()
    assert selection.without([first]).message is None
    assert not selection.without([first]).is_empty
    assert selection.without([first, second]).is_empty


@given(octets=garbage)
def test_garbage(octets):
    """Whatever a message is, something goes or there is a reason."""
    found = selected(octets)
    if isinstance(found, Refused):
        assert found.status in ("5.6.0", "5.6.1")
        assert found.cause
    else:
        assert not found.is_empty
        assert all(isinstance(voice, Voice) and voice.sounds for voice in found.voices())
