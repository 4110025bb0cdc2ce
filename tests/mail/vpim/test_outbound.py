"""The body of a message to a voice-mail system, in pieces."""

import email
import io

import pytest

from unitymail.mail.part import Part
from unitymail.mail.vpim.heading import Cover
from unitymail.mail.vpim.outbound import Material, Recording, message
from unitymail.mail.vpim.selection import Selection, Voice

COVER = Cover("0trace", "l-1", "vm1.example.com", 1394457625.0, b"", ("Robin", "1@vm1.example.com"), (("C", "2@b"),))
ROOT = Part(0, 0, 0, "text", "plain", ())


def recording(octets, seconds, start=0):
    return Recording(io.BytesIO(b"#" * start + octets + b"#"), start, len(octets), seconds)


def written(selection, **facts):
    facts = {"buffer": b"", "cover": COVER, "recordings": {}} | facts
    return b"".join(message(selection, Material(**facts)))


@pytest.mark.parametrize(("seconds", "shown"), [
    (0.1, "1"), (1.4, "1"), (2.9, "3"), (3600.0, "3600"), (1e12, "2147483647"),
])
def test_duration(seconds, shown):
    """Durations are whole seconds, at least one."""
    voice = Voice(())
    octets = written(Selection(ROOT, message=voice), recordings={voice: recording(b"abc", seconds, start=5)})
    part = email.message_from_bytes(octets).get_payload(0)
    assert part["Content-Duration"] == shown
    assert part.get_payload(decode=True) == b"abc"


@pytest.mark.parametrize(("language", "shown"), [
    (b" en-GB", "en-GB"), (b"de, fr", None), (b"x\r\nBcc: y", None), (None, None), (b"", None),
])
def test_language(language, shown):
    """A language tag is passed on when it is one."""
    voice = Voice((), language)
    octets = written(Selection(ROOT, message=voice), recordings={voice: recording(b"abc", 1)})
    assert email.message_from_bytes(octets).get_payload(0)["Content-Language"] == shown


def test_the_name_of_the_directory():
    """It stands first, at the top only, and gives way to one that the message brings."""
    own, inner = Voice((), b"a"), Voice((), b"b")
    selection = Selection(ROOT, message=own, enclosed=(Selection(ROOT, message=inner),))
    made = {own: recording(b"own", 1), inner: recording(b"inner", 1)}
    octets = written(selection, recordings=made, name=recording(b"name", 1))
    heard = [part.get_payload(decode=True) for part in email.message_from_bytes(octets).walk()
             if part.get_content_maintype() == "audio"]
    assert heard == [b"name", b"own", b"inner"]
    named = Selection(ROOT, name=inner, message=own)
    octets = written(named, recordings=made, name=recording(b"name", 1))
    assert email.message_from_bytes(octets).get_payload(0).get_payload(decode=True) == b"inner"


def test_names_of_files():
    """Recordings are `message.726` or, by agreement, `message.wav`."""
    voice = Voice(())
    for wav, kind, name in ((False, "audio/32kadpcm", "message.726"), (True, "audio/wav", "message.wav")):
        octets = written(Selection(ROOT, message=voice), recordings={voice: recording(b"abc", 1)}, wav=wav)
        part = email.message_from_bytes(octets).get_payload(0)
        assert (part.get_content_type(), part.get_filename()) == (kind, name)
