"""Messages as VPIM locations get them: each vector, heard and read as the peer would, and checked against RFC 3801."""

import base64
import email
import os
import tracemalloc
from dataclasses import replace
from time import thread_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import rfc3801
from tests.courier.vpim_post import (
    BRANCH,
    CHRIS,
    ENTRIES,
    NAME,
    PEER,
    TO_CHRIS,
    TO_SAM,
    TRAIL,
    VOICE,
    Post,
    facts_of,
    vector,
    voice_mail,
)
from tests.fakes import ROBIN, FakeBook
from tests.mail.garbage import garbage
from tests.sound import NEAR_DB, NOISE_DB, REFERENCE, VECTORS, WatchedCodec, converted, samples_of, snr_db
from unitymail.interfaces.codec import CannotDecode, TooLong, work_for
from unitymail.mail.vpim.selection import Refused
from unitymail.settings.site import SiteSettings

CONVERTED = [name for name, entry in ENTRIES.items() if entry["vpim"]["result"] == "convert"]
RETURNED = [name for name, entry in ENTRIES.items()
            if entry["vpim"]["result"] == "ndr" and entry["vpim"]["status"] != "5.7.1"]


@pytest.fixture
def post(tmp_path):
    return Post(tmp_path)


@pytest.mark.parametrize("name", CONVERTED)
def test_vectors_that_convert(post, name):
    """Every message with something to hear or see arrives as RFC 3801 has it, and keeps what the index says."""
    entry = ENTRIES[name]
    facts = facts_of(name)
    sent, made = post.convert(vector(name), **facts)
    ours = entry["mail_from"] == ROBIN.proxies[0]
    rfc3801.check(sent, made.sender, [TO_CHRIS.to], numeric_sender=ours)
    kept = " ".join(entry["vpim"]["keep"])
    fax = "tif" in kept
    kinds = [part.get_content_type() for part in email.message_from_bytes(sent).walk()]
    assert ("image/tiff" in kinds) == fax
    assert ("message/rfc822" in kinds) == ("rfc822" in kept)
    if "audio_seconds" in entry and "rfc822" not in kept:
        assert made.seconds == pytest.approx(entry["audio_seconds"], abs=0.15)
        assert len(rfc3801.voice(sent)) == pytest.approx(entry["audio_seconds"] * 4000, abs=600)
    removed = " ".join(entry["vpim"].get("remove", ()))
    assert all(one in removed for one in made.removed)
    assert bool(made.removed) == (entry["vpim"].get("status") == "2.6.4" or "agenda.pdf" in removed)
    for name in ("In-Reply-To", "References"):
        assert (f"\r\n{name}: ".encode() in sent) == (name in kept)
    assert (b"\r\nSensitivity: Private\r\n" in sent) == ("Sensitivity: Private" in kept)


@pytest.mark.parametrize("name", RETURNED)
def test_vectors_that_are_returned(post, name):
    """Every message with nothing for a telephone goes back with the status of the index, and a sentence."""
    refused = post.convert(vector(name), **facts_of(name))
    assert isinstance(refused, Refused)
    assert refused.status == ENTRIES[name]["vpim"]["status"]
    assert refused.cause.endswith(".")


@pytest.mark.parametrize(("name", "level"), [
    ("viewmail_voice.eml", 0), ("viewmail_voice_no_hints.eml", 0), ("voice_html_signature_logo.eml", 0),
    ("vpim_in_basic.eml", 0), ("vpim_in_inside_mixed.eml", 0), ("vpim_in_forwarded.eml", 1),
    ("voice_forward_nested_only.eml", 1), ("asterisk_wav.eml", 0),
])
def test_what_is_heard(post, name, level):
    """The peer hears what was recorded, in the right order of code words, which is noise in the other."""
    sent, _ = post.convert(vector(name), **facts_of(name))
    octets = rfc3801.voice(sent, level)
    assert snr_db(REFERENCE, samples_of(octets, "g726")) >= NEAR_DB
    assert snr_db(REFERENCE, samples_of(octets, "g726-swapped")) < NOISE_DB


def test_a_peer_with_the_other_order(post):
    """A location that reads the high bits first is sent that order, the recorded name too; what it sends is read so."""
    swapped = replace(BRANCH, swap_code_words=True, send_spoken_name=True)
    post.form._directory.names["u-robin"] = NAME
    sent, _ = post.convert(vector("viewmail_voice.eml"), location=swapped)
    assert snr_db(REFERENCE, samples_of(rfc3801.voice(sent), "g726-swapped")) >= NEAR_DB
    (_, role, name), _ = rfc3801.recordings(sent)
    assert role == "originator-spoken-name"
    assert snr_db(samples_of(NAME, "g726"), samples_of(name, "g726-swapped")) > 15
    post.book = FakeBook(ROBIN, BRANCH, replace(PEER, swap_code_words=True), CHRIS)
    post.form._book = post.book
    sent, _ = post.convert(vector("vpim_in_wrong_nibble_order.eml"), **facts_of("vpim_in_wrong_nibble_order.eml"))
    assert snr_db(REFERENCE, samples_of(rfc3801.voice(sent), "g726")) >= NEAR_DB


def test_mu_law_by_agreement(post):
    """A location that agreed on mu-law gets WAV files, its recorded name too."""
    post.form._directory.names["u-robin"] = NAME
    location = replace(BRANCH, audio="mu-law", send_spoken_name=True)
    sent, made = post.convert(vector("viewmail_voice.eml"), location=location)
    rfc3801.check(sent, made.sender, [TO_CHRIS.to], wav=True)
    assert snr_db(REFERENCE, samples_of(rfc3801.voice(sent), "wav")) > 35
    (_, _, name), _ = rfc3801.recordings(sent)
    assert name[:4] == b"RIFF"


def test_the_header(post):
    """The fields, their order and their values are those of message-formats.md, for a message between two of ours."""
    sent, made = post.convert(vector("voice_reply.eml"))
    assert made.sender == "71041@vm1.example.com"
    header = sent.partition(b"\r\n\r\n")[0].decode()
    original = email.message_from_bytes(vector("voice_reply.eml"))
    assert header.replace("\r\n\t", " ").split("\r\n") == [
        "Received: from client.example.com ([192.0.2.1]) by vm1.example.com with ESMTPSA "
        "id 0abcdefghij0123456789; Mon, 10 Mar 2014 13:20:25 +0000",
        'From: "Robin Smith" <71041@vm1.example.com>',
        "To: =?utf-8?q?Chris_J=C3=B6nes?= <82233@branch.example.org>",
        f"Date: {original['Date']}",
        "Message-ID: <0abcdefghij0123456789.vpim.l-branch@vm1.example.com>",
        f"In-Reply-To: {original['In-Reply-To']}",
        f"References: {original['References']}",
        f"Subject: {original['Subject']}",
        "MIME-Version: 1.0 (Voice 2.0)",
        'Content-Type: Multipart/Voice-Message; version=2.0; boundary="=_vpim_0abcdefghij0123456789_00"',
        "Content-Transfer-Encoding: 7bit",
        "Message-Context: voice-message",
    ]


def test_the_same_copy_again(post):
    """Made again, after a crash or a refusal, it is octet for octet the same message."""
    one, _ = post.convert(vector("viewmail_voice.eml"))
    again, _ = post.convert(vector("viewmail_voice.eml"))
    assert one == again


def test_recorded_name(post):
    """The sender's recorded name goes first where the location wants it; a name of the message itself is kept."""
    post.form._directory.names["u-robin"] = NAME
    sent, _ = post.convert(vector("viewmail_voice.eml"))
    assert [role for _, role, _ in rfc3801.recordings(sent)] == ["voice-message"]
    wanting = replace(BRANCH, send_spoken_name=True)
    sent, made = post.convert(vector("viewmail_voice.eml"), location=wanting)
    rfc3801.check(sent, made.sender, [TO_CHRIS.to])
    (_, role, octets), _ = rfc3801.recordings(sent)
    assert role == "originator-spoken-name"
    assert octets == NAME
    assert made.seconds == pytest.approx(2.92, abs=0.01)
    sent, _ = post.convert(vector("vpim_in_basic.eml"), location=wanting, **facts_of("vpim_in_basic.eml"))
    (_, first, name), (_, second, voice) = rfc3801.recordings(sent)
    assert (first, second) == ("originator-spoken-name", "voice-message")
    came = rfc3801.recordings(vector("vpim_in_basic.eml"))
    assert [name, voice] == [octets for _, _, octets in came]


def test_long_names_are_cut(post):
    """A recorded name is cut after 10 s, a spoken subject after 20, wherever it came from."""
    long, _ = converted(REFERENCE * 12, "l16", "g726")
    post.form._directory.names["u-robin"] = long
    sent, made = post.convert(voice_mail(VOICE), location=replace(BRANCH, send_spoken_name=True))
    rfc3801.check(sent, made.sender, [TO_CHRIS.to])
    assert len(rfc3801.recordings(sent)[0][2]) == 40_000
    part = b"Content-Type: Audio/32KADPCM\r\nContent-Disposition: inline; voice=%b"
    spoken = [(part % role, long) for role in (b"Originator-Spoken-Name", b"Spoken-Subject")]
    sent, made = post.convert(voice_mail(*spoken, VOICE))
    rfc3801.check(sent, made.sender, [TO_CHRIS.to])
    assert [len(octets) for _, _, octets in rfc3801.recordings(sent)] == [40_000, 80_000, 11_666]


def test_a_bad_name_is_left_out(post):
    """A recorded name that cannot be decoded, or never ends, is left out; the message goes."""
    bad = (b"Content-Type: Audio/WAV\r\nContent-Disposition: inline; voice=Originator-Spoken-Name", b"no sound")
    endless = (b"Content-Type: Audio/basic\r\nContent-Disposition: inline; voice=Spoken-Subject", bytes(50_000_000))
    sent, made = post.convert(voice_mail(bad, VOICE))
    rfc3801.check(sent, made.sender, [TO_CHRIS.to])
    assert len(rfc3801.recordings(sent)) == 1
    sent, _ = post.convert(voice_mail(endless, VOICE))
    assert [len(octets) for _, _, octets in rfc3801.recordings(sent)] == [11_666]


def test_recordings_of_one_level_are_one(post):
    """Several recordings become one, in the order of the message, or in that of X-AttachmentOrder from behind."""
    tone = samples_of(vector_audio("vpim_in_basic.eml", 0), "g726")
    wav = converted(tone, "l16")[0]
    other = (b"Content-Type: audio/wav; name=second.wav\r\nContent-Disposition: attachment", wav)
    sent, made = post.convert(voice_mail(VOICE, other))
    assert len(rfc3801.recordings(sent)) == 1
    assert made.seconds == pytest.approx(2.9165 + len(tone) / 16000, abs=0.01)
    assert snr_db(REFERENCE, samples_of(rfc3801.voice(sent), "g726")) >= NEAR_DB
    sent, _ = post.convert(voice_mail(VOICE, other, header=b"X-AttachmentOrder: VoiceMessage.wav;second.wav\r\n"))
    assert snr_db(REFERENCE, samples_of(rfc3801.voice(sent), "g726")[len(tone):]) >= NEAR_DB


def vector_audio(name, number):
    parts = [p for p in email.message_from_bytes(vector(name)).walk() if p.get_content_maintype() == "audio"]
    return parts[number].get_payload(decode=True)


def test_recipients_at_the_location_only(post):
    """To and Cc list those at the location whom the sender named; nobody else, and no blind copy."""
    octets = vector("viewmail_voice.eml").replace(
        b"To: ", b"Cc: Sam <sam.roe@example.com>, x@example.net\r\nTo: y@example.net, ", 1
    )
    sent, made = post.convert(octets, TO_CHRIS, TO_SAM)
    rfc3801.check(sent, made.sender, [TO_CHRIS.to, TO_SAM.to])
    message = email.message_from_bytes(sent)
    assert message["To"].endswith("<82233@branch.example.org>")
    assert message["Cc"] == '"Sam \\"The Voice\\" Roe Bcc: all@example.com" <82234@branch.example.org>'
    sent, made = post.convert(vector("viewmail_voice.eml"), TO_CHRIS, TO_SAM)
    rfc3801.check(sent, made.sender, [TO_CHRIS.to, TO_SAM.to], complete=False)
    assert b"82234" not in sent
    sent, made = post.convert(vector("viewmail_voice.eml"), TO_SAM)
    assert b"To: \"Sam" in sent
    others = octets.replace(b"chris.jones@", b"someone@").replace(b"sam.roe@", b"else@")
    sent, _ = post.convert(others, TO_CHRIS, TO_SAM)
    assert b"82233" not in sent and b"82234" not in sent
    sent, _ = post.convert(octets.replace(b"chris.jones@example.com", b"1042@VM1.example.com"), TO_CHRIS, TO_SAM)
    assert email.message_from_bytes(sent)["To"].endswith("<82233@branch.example.org>")


def test_a_location_beyond_ascii(post):
    """A domain with an umlaut is no address of the older kind: 5.6.7, not octets that a telephone cannot read."""
    refused = post.convert(vector("viewmail_voice.eml"), replace(TO_CHRIS, to="82233@zweigstelle-köln.example"))
    assert (refused.status, refused.cause.endswith(".")) == ("5.6.7", True)


NUMBERED, PRIMARY = "71041@vm1.example.com", "robin@vm1.example.com"


@pytest.mark.parametrize(("user", "sender", "expected"), [
    (replace(ROBIN, extension=""), ROBIN.proxies[0], (PRIMARY, f'"Robin Smith" <{PRIMARY}>')),
    (replace(ROBIN, display_name=""), ROBIN.address, (NUMBERED, f'"robin" <{NUMBERED}>')),
    (replace(ROBIN, extension="12 34\r\n"), ROBIN.address, (PRIMARY, f'"Robin Smith" <{PRIMARY}>')),
    (ROBIN, "", ("", f'"Robin Smith" <{NUMBERED}>')),
])
def test_senders_of_ours(tmp_path, user, sender, expected):
    """A user writes from prefix and extension, without one from the primary address; a null sender stays null."""
    post = Post(tmp_path, user, BRANCH, CHRIS)
    sent, made = post.convert(vector("viewmail_voice.eml"), sender=sender, origin="u-robin")
    assert (made.sender, email.message_from_bytes(sent)["From"]) == expected


def test_a_caller_without_a_mailbox(post):
    """Who cannot be answered is non-mail-user, with a name or number to show, and no receipt is asked for."""
    octets = vector("exchange_um_voice_ca.eml")
    sent, made = post.convert(b"Disposition-Notification-To: <a@example.com>\r\n" + octets, sender="")
    rfc3801.check(sent, "", [TO_CHRIS.to])
    message = email.message_from_bytes(sent)
    assert made.sender == ""
    assert message["From"] == '"Sam Roe" <non-mail-user@vm1.example.com>'
    assert "Disposition-Notification-To" not in message
    sent, _ = post.convert(octets.replace(b"X-VoiceMessageSenderName: Sam Roe\r\n", b""), sender="")
    assert email.message_from_bytes(sent)["From"] == '"+14085550100" <non-mail-user@vm1.example.com>'


def test_receipts_and_marks(post):
    """A read receipt is asked for at our own From, with a path to answer; importance goes on; personal does not."""
    extra = (b"Disposition-Notification-To: Robin <robin.smith@example.com>\r\nX-Priority: 1\r\n"
             b"Sensitivity: Personal\r\nReply-To: x@example.com\r\nX-Mailer: y\r\n")
    sent, made = post.convert(voice_mail(VOICE, header=extra))
    rfc3801.check(sent, made.sender, [TO_CHRIS.to])
    message = email.message_from_bytes(sent)
    assert (message["Importance"], message["Disposition-Notification-To"]) == ("High", "<71041@vm1.example.com>")
    assert message["Sensitivity"] is None
    sent, _ = post.convert(voice_mail(VOICE, header=extra + b"Auto-Submitted: auto-generated\r\n"))
    message = email.message_from_bytes(sent)
    assert (message["Auto-Submitted"], message["Disposition-Notification-To"]) == ("auto-generated", None)
    sent, _ = post.convert(voice_mail(VOICE, header=extra), sender="", origin="u-robin")
    assert email.message_from_bytes(sent)["Disposition-Notification-To"] is None


def test_no_fax_for_a_location_without(post):
    """A location without fax gets no pages: beside a voice they are named as left out, alone they go back."""
    plain = replace(BRANCH, fax=False)
    facts = facts_of("vpim_in_voice_and_fax.eml")
    sent, made = post.convert(vector("vpim_in_voice_and_fax.eml"), location=plain, **facts)
    assert made.removed == ("fax1.tif",)
    assert b"image/tiff" not in sent.lower()
    refused = post.convert(vector("fax_t37_single.eml"), location=plain, **facts_of("fax_t37_single.eml"))
    assert refused.status == "5.6.1"


def test_silence_is_no_message(post):
    """A recording without a sample is left out; a message of nothing else goes back."""
    empty = (VOICE[0], converted(b"", "mu-law")[0])
    assert post.convert(voice_mail(empty)).status == "5.6.1"
    sent, _ = post.convert(voice_mail(empty, (b"Content-Type: Audio/32KADPCM", NAME)))
    assert len(rfc3801.recordings(sent)) == 1


def test_bad_and_endless_audio(tmp_path):
    """Audio that cannot be decoded is said to be so; more than the site converts is refused."""
    post = Post(tmp_path, site=replace(SiteSettings(), vpim_max_seconds=5), names={"u-robin": NAME * 5})
    assert isinstance(post.convert(voice_mail(VOICE), location=replace(BRANCH, send_spoken_name=True)), tuple)
    with pytest.raises(CannotDecode):
        post.convert(voice_mail((VOICE[0], b"this is no sound at all")))
    with pytest.raises(TooLong):
        post.convert(voice_mail(VOICE, VOICE))
    inner = b"Content-Type: message/rfc822\r\n\r\n" + voice_mail(VOICE).replace(b"--b", b"--c").replace(b"=b", b"=c")
    forwarded = voice_mail(VOICE).replace(b"--b--", b"--b\r\n" + inner + b"\r\n--b--")
    with pytest.raises(TooLong):
        post.convert(forwarded)
    assert os.listdir(tmp_path) == ["item.eml"]


@pytest.mark.parametrize(("outer", "inner", "names"), [(NAME, NAME, 2), (NAME * 5, NAME * 5, 1), (NAME * 10, NAME, 0)])
def test_names_have_a_measure_of_their_own(tmp_path, outer, inner, names):
    """However many messages are forwarded, their recorded names are decoded as far as the limit of the site goes."""
    def named(name):
        head = b"Content-Type: Audio/32KADPCM\r\nContent-Disposition: inline; voice=Originator-Spoken-Name"
        return voice_mail(VOICE, (head, name), kind=b"voice-message")

    post = Post(tmp_path, site=replace(SiteSettings(), vpim_max_seconds=7))
    part = b"Content-Type: message/rfc822\r\n\r\n" + named(inner).replace(b"--b", b"--c").replace(b"=b", b"=c")
    sent, _ = post.convert(named(outer).replace(b"--b--", b"--b\r\n" + part + b"\r\n--b--"))
    assert sent.count(b"voice=Originator-Spoken-Name") == names
    assert sent.count(b"voice=Voice-Message") == 2


def test_all_recordings_take_the_work_of_one(tmp_path):
    """A message may hold a thousand recordings: together they may keep a processor busy as long as one."""
    codec = WatchedCodec()
    post = Post(tmp_path, codec=codec)
    began = thread_time()
    inner = b"Content-Type: message/rfc822\r\n\r\n" + voice_mail(VOICE).replace(b"--b", b"--c").replace(b"=b", b"=c")
    head = b"Content-Type: Audio/32KADPCM\r\nContent-Disposition: inline; voice=Originator-Spoken-Name"
    post.convert(voice_mail(VOICE, (head, NAME)).replace(b"--b--", b"--b\r\n" + inner + b"\r\n--b--"))
    assert len(codec.ends) == 4
    assert len(set(codec.ends)) == 1
    assert 0 < codec.ends[0] - began < 2 * work_for(SiteSettings().vpim_max_seconds)


def test_a_disk_that_fills_up(post, monkeypatch):
    """When the disk is full in the middle of writing, nothing is left of it."""
    files = []

    def full(selection, material):
        yield b"From: "
        raise OSError(28, "No space left on device")

    def temporary(item):
        files.append(open(os.path.join(post.folder, f"{len(files)}"), "w+b"))  # noqa: SIM115
        return files[-1]

    monkeypatch.setattr("unitymail.courier.vpim_form.message", full)
    monkeypatch.setattr("unitymail.courier.vpim_form.temporary", temporary)
    with pytest.raises(OSError, match="No space"):
        post.convert(voice_mail(VOICE))
    assert [file.closed for file in files] == [True, True]


def test_large_messages_take_no_memory(post):
    """An hour-long recording of 29 MB goes through the process, not into it."""
    wav, _ = converted(b"", "mu-law", "mu-law-wav")
    head = (b"From: robin.smith@example.com\r\nTo: chris.jones@example.com\r\nContent-Type: audio/wav\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n")
    line = base64.b64encode(bytes(57)) + b"\r\n"
    octets = head + base64.b64encode(wav[:57]) + b"\r\n" + line * (28_000_000 // 57)
    item = post.item(octets)
    del octets
    with open(item.path, "rb") as file:
        content = file.read()[len(TRAIL):]
    with open(item.path, "wb") as file:  # a large message has room of whole pages for our header block
        file.write(TRAIL.ljust(4096) + content)
    item = replace(item, head=4096, size=4096 + len(content))
    del content
    before = resident()
    tracemalloc.start()
    made = post.form.convert(item, [TO_CHRIS], BRANCH, TRAIL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.size > 18_000_000
    made.close()
    assert peak < 5_000_000
    assert resident() - before < 16_000_000


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def a_part(kind, octets, disposition="attachment"):
    head = f"Content-Type: {kind}\r\nContent-Disposition: {disposition}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.encodebytes(octets).replace(b"\n", b"\r\n")


FAX = (VECTORS / "audio" / "fax_2p_profile_s.tif").read_bytes()
PIECES = [
    a_part("audio/wav", VOICE[1][:900]), a_part("audio/32KADPCM", NAME, "inline; voice=Originator-Spoken-Name"),
    a_part("Audio/32KADPCM", NAME, "inline; voice=spoken-subject"), a_part("audio/basic", b"\xff" * 801),
    a_part("audio/wav", VOICE[1][:58]), a_part("image/tiff", FAX, "attachment; filename=fax.tif"),
    a_part("audio/32kadpcm", NAME, "inline; voice=Recipient-Spoken-Name"), a_part("text/plain", b"hello", "inline"),
    a_part("application/pdf", b"%PDF", "attachment; filename=x.pdf"), a_part("audio/wav", b"RIFF\0\0\0\0WAVEjunk"),
    a_part("text/vcard", b"BEGIN:VCARD"), a_part("image/tiff", FAX[:300]),
    a_part("audio/wav", VOICE[1][:900], "attachment; handling=REQUIRED"),
]


def a_multipart(parts, kind, number):
    boundary = b"x%d" % number
    inside = b"".join(b"--%b\r\n%b\r\n" % (boundary, one) for one in parts)
    return b"Content-Type: multipart/%b; boundary=%b\r\n\r\n%b--%b--\r\n" % (kind, boundary, inside, boundary)


trees = st.recursive(
    st.integers(0, len(PIECES) - 1).map(PIECES.__getitem__),
    lambda inner: st.one_of(
        st.builds(a_multipart, st.lists(inner, min_size=1, max_size=5),
                  st.sampled_from([b"mixed", b"voice-message", b"alternative", b"signed"]), st.integers(0, 1 << 40)),
        inner.map(lambda octets: b"Content-Type: message/rfc822\r\n\r\nSubject: \xc3\xa9\r\n" + octets),
    ),
    max_leaves=12,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(octets=trees, fax=st.booleans(), name=st.booleans(), audio=st.sampled_from(["g726", "mu-law"]))
def test_any_tree_of_parts(tmp_path, octets, fax, name, audio):
    """However the parts of a message are nested, what goes out is as RFC 3801 has it."""
    post = Post(tmp_path, names={"u-robin": NAME})
    location = replace(BRANCH, fax=fax, send_spoken_name=name, audio=audio)
    try:
        made = post.convert(b"Subject: x\r\n" + octets, location=location, category="voice", sensitivity="normal")
    except CannotDecode:
        assert b"UklGRgAAAABXQVZFanVuaw" in octets
        return
    if isinstance(made, Refused):
        assert made.status == "5.6.1"
    else:
        rfc3801.check(made[0], made[1].sender, [TO_CHRIS.to], wav=audio == "mu-law")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(octets=garbage)
def test_garbage(tmp_path, octets):
    """Whatever a message is, it goes out as RFC 3801 has it, or is refused with a reason."""
    post = Post(tmp_path)
    try:
        made = post.convert(octets, category="voice", sensitivity="normal")
    except (CannotDecode, TooLong):
        return
    if isinstance(made, Refused):
        assert made.status in ("5.6.0", "5.6.1", "5.6.7")
    else:
        rfc3801.check(made[0], made[1].sender, [TO_CHRIS.to])
