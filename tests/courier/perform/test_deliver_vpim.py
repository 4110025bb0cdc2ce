"""VPIM for mailboxes: every vector, converted for real and committed to a real spool."""

import errno
import os
import re
from dataclasses import replace
from email import message_from_bytes, policy
from types import SimpleNamespace

import pytest
from twisted.internet.defer import ensureDeferred

from tests.fakes import CHRIS, ROBIN, TERRY, FakeBook, InlineThreads
from tests.sound import INDEX, NEAR_DB, REFERENCE, VECTORS, samples_of, snr_db
from tests.spool.room import HOST, NOW, a_spool
from unitymail.codec import Codec
from unitymail.courier.deciding import Decider
from unitymail.courier.outlook_form import OutlookForm
from unitymail.courier.perform.deliver_vpim import DeliverFromVpimPerformer, _envelope
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.spool import Item, StepState
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Sensitivity
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.mail.trace import head_block, read_trace_field
from unitymail.people.contact import Contact
from unitymail.people.location import Location, LocationKind
from unitymail.people.user import Action, Actions
from unitymail.routing import categorise
from unitymail.routing.decision import Decision, Origin, SenderFinding
from unitymail.routing.steps import Deliver
from unitymail.settings.site import SiteSettings

SENDER = "+14085550177@vpim.example.net"
FAR = Location("l-far", LocationKind.VPIM, "Far", "vpim.example.net", scope="s-all")
PAT = Contact("c-pat", "pat", "Pat Lee (Far)", location="l-far", mailbox_number="+14085550177")
IN = {entry["file"]: entry for entry in INDEX["message"] if entry["file"].startswith("vpim_in_")}
TRACE = "0abcdefghi0123456789"


def no_fax(user):
    return replace(user, actions=Actions(fax=Action.REJECT))


class Room:
    """`deliver` gives the outcomes; `held(account)` the messages of a mailbox."""

    def __init__(self, root, *objects, site=None, codec=None):
        self.room = a_spool(root)
        self.book = FakeBook(*(objects or (ROBIN, CHRIS, TERRY, FAR)), site=site)
        self.decider = Decider(self.book, self.room.usage, HOST)
        self.performer = DeliverFromVpimPerformer(
            spool=self.room.spool, codec=codec or Codec(), book=self.book, decider=self.decider,
            journal=self.room.journal, threads=InlineThreads(), audio_threads=InlineThreads(),
        )
        self.root = root

    def item(self, octets, *users, sender=SENDER, subject=None, origin="l-far", notify=None):
        message = categorise.read(octets, parse_secure_headers(self.book.site.secure_headers))
        users = users or (CHRIS,)
        envelope = Envelope(sender, tuple(Recipient(f"{user.extension}@vm1.example.com", notify) for user in users))
        decision = Decision(message, SenderFinding(sender, "vpim", origin), (), (), message.secure)
        head = head_block(trace=TRACE, envelope=envelope, origin=Origin("mta", "192.0.2.9", "vpim.example.net"),
                          decision=decision, host=HOST, when=NOW, subject=subject)
        path = self.root / "message.eml"
        path.write_bytes(head + octets)
        steps = [Deliver(user.id, f"{user.extension}@vm1.example.com", True) for user in users]
        return Item(
            TRACE, str(path), NOW, envelope, message.category.value, message.sensitivity.value, message.secure,
            message.subject, message.message_id, origin, len(head) + len(octets), len(head),
            tuple(map(StepState, steps)),
        )

    def deliver(self, octets, *users, **facts):
        return self.perform(self.item(octets, *users, **facts))

    def perform(self, item):
        got = []
        doing = ensureDeferred(self.performer.perform_many(item, item.steps))
        doing.addBoth(got.append)
        if hasattr(got[0], "raiseException"):
            got[0].raiseException()
        return got[0]

    def held(self, user=CHRIS):
        return list(self.room.store.mailbox(user.id).values())


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def vector(name):
    return (VECTORS / name).read_bytes()


def parsed(octets):
    return message_from_bytes(octets, policy=policy.default)


def parts_of(message):
    return [(part.get_content_type(), part.get_filename() or "") for part in message.walk() if not part.is_multipart()]


def text_of(message):
    return message.get_body().get_content().replace("\r\n", "\n")


def body(octets):
    """What came, without our own header block."""
    return octets[octets.index(b"X-Unitymail-Trace"):].split(b"\r\n", 2)[2]


VOICE = [("text/plain", ""), ("audio/wav", "VoiceMessage.wav")]
FAX = ("image/tiff", "FaxMessage.tif")
EXPECTED = {
    "vpim_in_basic.eml": VOICE,
    "vpim_in_vcard_2421.eml": VOICE,
    "vpim_in_vcard_text_vcard.eml": VOICE,
    "vpim_in_forwarded.eml": [*VOICE, ("audio/wav", "VoiceMessage(2).wav")],
    "vpim_in_inside_mixed.eml": VOICE,
    "vpim_in_prohibited_parts.eml": VOICE,
    "vpim_in_voice_and_fax.eml": [*VOICE, FAX],
    "vpim_in_fax_only.eml": [("text/plain", ""), FAX],
    "vpim_in_wrong_nibble_order.eml": VOICE,
    "vpim_in_binary.eml": VOICE,
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_vector_lies_in_the_mailbox_as_outlook_plays_it(room, name):
    """Audio as one WAV per message, fax as it came, nothing else; the category stays, and Python's parser reads it."""
    (outcome,) = room.deliver(vector(name))
    assert (outcome.kind, outcome.success) == ("done", "delivered")
    (octets,) = room.held()
    message = parsed(octets)
    assert not message.defects
    assert parts_of(message) == EXPECTED[name]
    assert message.get_content_type() == "multipart/mixed"
    assert message["Reply-To"] is None
    category = IN[name]["category"]
    assert (message["Message-Context"], message["Content-Class"]) == (f"{category}-message", category)
    assert message["MIME-Version"] == "1.0"
    assert message["Return-Path"] == f"<{SENDER}>"
    assert "vpim.example.net by vm1.example.com with ESMTP id Zz1" in " ".join(message.get_all("Received"))
    again = categorise.read(octets, ())
    assert (again.category, again.vpim, again.malformed) == (Category(category), False, False)
    trace = read_trace_field(message["X-Unitymail-Trace"].encode())
    assert (trace.id, trace.category, trace.sender) == (f"{TRACE}-v0", category, "l-far")


def wavs_of(octets):
    return [part.get_payload(decode=True) for part in parsed(octets).walk() if part.get_content_type() == "audio/wav"]


@pytest.mark.parametrize("name", [
    "vpim_in_basic.eml", "vpim_in_inside_mixed.eml", "vpim_in_prohibited_parts.eml", "vpim_in_voice_and_fax.eml",
    "vpim_in_vcard_2421.eml",
])
def test_it_plays(room, name):
    """The WAV is mu-law as Windows plays it, sounds like the recording, and holds no spoken name."""
    room.deliver(vector(name))
    (octets,) = room.held()
    (wav,) = wavs_of(octets)
    assert (wav[:4], wav[8:12], wav[20:26]) == (b"RIFF", b"WAVE", b"\x07\0\x01\0\x40\x1f")
    samples = samples_of(wav, "wav")
    assert snr_db(REFERENCE, samples) >= NEAR_DB
    assert abs(len(samples) / 16_000 - IN[name]["audio_seconds"]) < 0.02
    message = parsed(octets)
    (part,) = [one for one in message.walk() if one.get_content_type() == "audio/wav"]
    assert (part["Content-Duration"], part.get_content_disposition()) == ("3", "attachment")
    assert text_of(message).startswith("Voice message from Lee, Pat, 0:03.\n")


def test_a_forwarded_message_is_a_second_recording(room):
    """The introduction first, then what was forwarded, each with a line that says whose it is."""
    room.deliver(vector("vpim_in_forwarded.eml"))
    (octets,) = room.held()
    first, second = wavs_of(octets)
    assert text_of(parsed(octets)) == (
        "Voice message from Lee, Pat, 0:01.\n"
        "Forwarded voice message from Parker, Jo, 0:03 (sent 10 Mar 2014 12:00 UTC).\n"
    )
    assert snr_db(REFERENCE, samples_of(second, "wav")) >= NEAR_DB
    assert abs(len(samples_of(first, "wav")) / 16_000 - 1.2) < 0.02


def test_the_wrong_nibble_order_is_a_switch_of_the_location(tmp_path):
    """Without the switch it is noise, with it the recording; nothing is guessed."""
    for swapped in (False, True):
        (tmp_path / str(swapped)).mkdir()
        room = Room(tmp_path / str(swapped), CHRIS, replace(FAR, swap_code_words=swapped))
        room.deliver(vector("vpim_in_wrong_nibble_order.eml"))
        (wav,) = wavs_of(room.held()[0])
        assert (snr_db(REFERENCE, samples_of(wav, "wav")) >= NEAR_DB) is swapped


def test_an_unknown_codec_fails_whole(room):
    """RFC 3801 4.5.3: audio that nobody here can play is returned with 5.6.1, and nothing is delivered."""
    (outcome,) = room.deliver(vector("vpim_in_unknown_codec.eml"))
    assert (outcome.kind, outcome.status) == ("failed", IN["vpim_in_unknown_codec.eml"]["vpim"]["status"])
    assert room.held() == []


def voice_message(*parts, header=b""):
    lines = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    return (
        b'From: "Lee, Pat" <' + SENDER.encode() + b">\r\nTo: <1042@vm1.example.com>\r\n"
        b"Date: Mon, 10 Mar 2014 08:20:20 -0500\r\nMessage-ID: <one@vpim.example.net>\r\n" + header +
        b'Content-Type: multipart/voice-message; boundary="b"\r\n\r\n' + lines + b"--b--\r\n"
    )


def audio(octets, voice=b"Voice-Message", kind=b"audio/32KADPCM"):
    return (
        b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: binary\r\n"
        b"Content-Disposition: inline; voice=" + voice + b"\r\n\r\n" + octets
    )


NOTE = (VECTORS / "audio/message.726").read_bytes()
WAV = (VECTORS / "audio/message_ulaw.wav").read_bytes()
NAME = (VECTORS / "audio/name.726").read_bytes()
TIFF = (VECTORS / "audio/fax_2p_profile_s.tif").read_bytes()


def test_audio_that_is_none_is_5_6_5(room):
    """What claims to be a WAV and decodes to nothing goes back as undecodable."""
    (outcome,) = room.deliver(voice_message(audio(b"RIFF\xff\xff\xff\xffWAVEfmt " + b"\1" * 40, kind=b"audio/wav")))
    assert (outcome.kind, outcome.status) == ("failed", "5.6.5")


def test_nothing_to_hear_or_see_is_5_6_1(room):
    """Only a recorded name, or empty audio: no usable media."""
    for octets in (voice_message(audio(NAME, b"Originator-Spoken-Name")), voice_message(audio(b""))):
        (outcome,) = room.deliver(octets)
        assert (outcome.kind, outcome.status) == ("failed", "5.6.1")


def test_more_audio_than_the_site_converts_is_5_3_4(tmp_path):
    """A compression bomb ends at the limit of seconds, over all recordings of the message together."""
    room = Room(tmp_path, CHRIS, FAR, site=SiteSettings(vpim_max_seconds=4))
    enclosed = b"Content-Type: message/rfc822\r\n\r\n" + voice_message(audio(NOTE)).replace(b"--b", b"--c").replace(
        b'"b"', b'"c"')
    assert room.deliver(voice_message(audio(NOTE)))[0].kind == "done"
    (outcome,) = room.deliver(voice_message(audio(NOTE), enclosed))
    assert (outcome.kind, outcome.status) == ("failed", "5.3.4")


def test_several_messages_at_one_level_are_joined_in_order(room):
    """RFC 3801 4.4.3: all are played, none is discarded, whatever their codecs; names and subjects are left out."""
    room.deliver(voice_message(
        audio(NAME, b"Originator-Spoken-Name"), audio(NAME, b"spoken-subject"), audio(NOTE),
        audio(NAME, b"X-Unheard-Of"), audio(WAV, kind=b"audio/wav"), audio(NAME, b"Recipient-Spoken-Name"),
    ))
    (wav,) = wavs_of(room.held()[0])
    samples = samples_of(wav, "wav")
    assert snr_db(REFERENCE, samples) >= NEAR_DB
    rest = samples[len(NOTE) * 4 + len(NAME) * 4:]
    assert snr_db(REFERENCE, rest) >= NEAR_DB
    assert text_of(parsed(room.held()[0])) == "Voice message from Lee, Pat, 0:07.\n"


def test_a_short_one_after_a_long_one(room):
    """Nothing of the introduction is left behind the shorter message that it introduces."""
    inner = voice_message(audio(NAME)).replace(b"--b", b"--c").replace(b'"b"', b'"c"')
    room.deliver(voice_message(audio(NOTE), b"Content-Type: message/rfc822\r\n\r\n" + inner))
    long, short = wavs_of(room.held()[0])
    assert [len(one) - 58 for one in (long, short)] == [2 * len(NOTE), 2 * len(NAME)]


def test_version_1_is_accepted(room):
    """No version parameter, no voice parameters, no duration: order is all there is."""
    v1 = voice_message(b"Content-Type: audio/32KADPCM\r\nContent-Transfer-Encoding: binary\r\n\r\n" + NOTE)
    assert room.deliver(v1)[0].kind == "done"
    assert parts_of(parsed(room.held()[0])) == VOICE


def test_users_without_fax_get_the_voice_only(tmp_path):
    """One conversion, two variants: who rejects fax hears the message, the others see the pages, too."""
    counting = SimpleNamespace(calls=0)

    class Counting(Codec):
        def convert(self, *args, **kwargs):
            counting.calls += 1
            return super().convert(*args, **kwargs)

    room = Room(tmp_path, CHRIS, no_fax(ROBIN), TERRY, FAR, codec=Counting())
    outcomes = room.deliver(vector("vpim_in_voice_and_fax.eml"), CHRIS, ROBIN, TERRY)
    assert [outcome.kind for outcome in outcomes] == ["done"] * 3
    assert parts_of(parsed(room.held(CHRIS)[0])) == [*VOICE, FAX] == parts_of(parsed(room.held(TERRY)[0]))
    assert parts_of(parsed(room.held(ROBIN)[0])) == VOICE
    assert "Fax" not in text_of(parsed(room.held(ROBIN)[0]))
    assert counting.calls == 1
    assert room.held(CHRIS) == room.held(TERRY)


def test_the_fax_is_unchanged(room):
    """The pages are the sender's, octet by octet."""
    room.deliver(vector("vpim_in_fax_only.eml"))
    message = parsed(room.held()[0])
    (fax,), (sent,) = (
        [part.get_payload(decode=True) for part in one.walk() if part.get_content_type() == "image/tiff"]
        for one in (message, parsed(vector("vpim_in_fax_only.eml")))
    )
    assert fax == sent
    assert fax.startswith(b"II*")
    assert text_of(message) == "Fax message from Lee, Pat.\n"


def test_a_fax_that_stays_out_leaves_nothing(tmp_path):
    """Voice that is empty beside a fax, for somebody who takes none: 5.6.1 for that one, the pages for the other."""
    fax = b"Content-Type: image/tiff\r\nContent-Transfer-Encoding: binary\r\n\r\n" + TIFF
    room = Room(tmp_path, CHRIS, no_fax(ROBIN), FAR)
    taken, refused = room.deliver(voice_message(audio(b""), fax), CHRIS, ROBIN)
    assert (taken.kind, refused.kind, refused.status) == ("done", "failed", "5.6.1")


def test_the_contact_is_shown_with_its_name_and_an_address_that_answers_reach(tmp_path):
    """From is the directory's name; To shows the users behind the numbers, so that a reply to all reaches them."""
    for proxies, address in ((), SENDER), (("pat@partner.example",), "pat@partner.example"):
        (tmp_path / address).mkdir()
        room = Room(tmp_path / address, CHRIS, FAR, replace(PAT, proxies=proxies))
        room.deliver(vector("vpim_in_basic.eml"))
        message = parsed(room.held()[0])
        sender, recipient = message["From"].addresses[0], message["To"].addresses[0]
        assert (sender.display_name, sender.addr_spec) == ("Pat Lee (Far)", address)
        assert (recipient.display_name, recipient.addr_spec) == ("Chris Jones", "chris@vm1.example.com")
        assert text_of(message).startswith("Voice message from Pat Lee (Far), 0:03.")


@pytest.mark.parametrize(("sender", "shown", "words"), [
    (b'"Lee, Pat" <' + SENDER.encode() + b">", "+14085550177", "Lee, Pat"),
    (b"<" + SENDER.encode() + b">", "+14085550177", "+14085550177"),
    (b'"555 0100" <non-mail-user@vpim.example.net>', "", "555 0100"),
    (b"<non-mail-user@vpim.example.net>", "", "an unknown caller"),
    (b"=?utf-8?q?G=C3=BCnther?= <12@vpim.example.net>", "12", "Günther"),
])
def test_words_for_whoever_called(room, sender, shown, words):
    """Name, else number, else nobody; and without a Subject the same in the Subject."""
    octets = voice_message(audio(NOTE)).replace(b'"Lee, Pat" <' + SENDER.encode() + b">", sender)
    room.deliver(octets)
    message = parsed(room.held()[0])
    assert text_of(message) == f"Voice message from {words}, 0:03.\n"
    number = f" ({shown})" if shown and shown != words else ""
    assert message["Subject"] == f"Voice Message from {words}{number}"


def test_the_subject(room):
    """The sender's; else the one that the site's format made, which stands in our header block."""
    room.deliver(voice_message(audio(NOTE), header=b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"))
    assert parsed(room.held()[0]).get_all("Subject") == ["Grüße"]


def test_the_formatted_subject(room):
    """See test_the_subject."""
    room.deliver(voice_message(audio(NOTE)), subject="Message from Pat [177]")
    assert parsed(room.held()[0]).get_all("Subject") == ["Message from Pat [177]"]


def test_flags_threads_and_wishes_stay(room):
    """Private, urgent, the ids that threads and receipts need, and the wish for a receipt stay; the rest goes."""
    room.deliver(voice_message(audio(NOTE), header=(
        b"Sensitivity: private\r\nImportance: High\r\nIn-Reply-To: <a@x>\r\nReferences: <a@x>\r\n <b@x>\r\n"
        b"Disposition-Notification-To: <" + SENDER.encode() + b">\r\nReply-To: <x@y.example>\r\nX-Odd: 1\r\n"
    )))
    (octets,) = room.held()
    message = parsed(octets)
    assert message["Message-ID"] == "<one@vpim.example.net>"
    assert (message["Sensitivity"], message["Importance"]) == ("Private", "High")
    assert (message["In-Reply-To"], message["References"].split()) == ("<a@x>", ["<a@x>", "<b@x>"])
    assert message["Disposition-Notification-To"] == f"<{SENDER}>"
    assert next(iter(room.room.store.mailbox(CHRIS.id))).endswith(",N=1")
    assert message["X-Odd"] is None
    assert message["Reply-To"] is None
    assert categorise.read(octets, ()).sensitivity is Sensitivity.PRIVATE


@pytest.mark.parametrize("deeper", [False, True])
def test_what_was_private_stays_private(room, deeper):
    """A private message that a peer let somebody forward is private here, though its header is gone: no forwarding."""
    def forwarding(inner, mark):
        inner = inner.replace(b"--b", b"--" + mark).replace(b'"b"', b'"' + mark + b'"')
        return voice_message(audio(NAME), b"Content-Type: message/rfc822\r\n\r\n" + inner)

    inner = voice_message(audio(NOTE), header=b"Sensitivity: (hush) private\r\n")
    message = forwarding(inner, b"c")
    room.deliver(forwarding(message, b"d") if deeper else message)
    (octets,) = room.held()
    assert parsed(octets)["Sensitivity"] == "Private"
    assert read_trace_field(parsed(octets)["X-Unitymail-Trace"].encode()).sensitivity == "private"


def test_a_file_that_only_its_name_calls_audio(room):
    """RFC 3801 4.4: what is no audio is dropped, and the message heard; unless it is called the message itself."""
    file = (b'Content-Type: application/octet-stream; name="notes.wav"\r\nContent-Transfer-Encoding: binary\r\n'
            b"Content-Disposition: attachment%b\r\n\r\nplain words")
    (outcome,) = room.deliver(voice_message(file % b"", audio(NOTE)))
    assert outcome.kind == "done"
    assert parts_of(parsed(room.held()[0])) == VOICE
    assert room.room.journal.named("converted")[-1].args[-1] == ("notes.wav",)
    (outcome,) = room.deliver(voice_message(file % b"; voice=Voice-Message", audio(NOTE)))
    assert (outcome.kind, outcome.status) == ("failed", "5.6.1")
    (outcome,) = room.deliver(voice_message(file % b""))
    assert (outcome.kind, outcome.status) == ("failed", "5.6.1")


def test_no_date_and_no_message_id(room):
    """What is missing is made: the time of arrival, and an id of our own."""
    octets = re.sub(rb"(Date|Message-ID):[^\n]*\n", b"", voice_message(audio(NOTE)))
    room.deliver(octets)
    message = parsed(room.held()[0])
    assert message["Date"].datetime.timestamp() == NOW
    assert message["Message-ID"] == f"<{TRACE}-v0@{HOST}>"


def test_an_enclosed_letter_stays_a_letter(room):
    """A forwarded message with nothing to hear is attached as it is."""
    letter = b"From: <jo@vpim.example.net>\r\nSubject: Words\r\n\r\nJust words.\r\n"
    room.deliver(voice_message(audio(NOTE), b"Content-Type: message/rfc822\r\n\r\n" + letter))
    message = parsed(room.held()[0])
    (enclosed,) = [part for part in message.walk() if part.get_content_type() == "message/rfc822"]
    assert enclosed.get_content()["Subject"] == "Words"
    assert "A message without audio or fax is attached." in text_of(message)


def test_twice_is_once(room):
    """Performed again after a crash, nobody finds the message twice."""
    item = room.item(vector("vpim_in_basic.eml"), CHRIS, ROBIN)
    assert room.perform(item) == room.perform(item)
    assert len(room.held(CHRIS)) == len(room.held(ROBIN)) == 1
    assert [event.args[:2] for event in room.room.journal.named("delivered")] == [
        (f"{TRACE}-v0", CHRIS.id), (f"{TRACE}-v0", ROBIN.id)]


def test_twice_is_once_whoever_was_renamed_meanwhile(tmp_path):
    """The copy would be another, with another size: a restarted node knows that the message was made."""
    first = Room(tmp_path, CHRIS, FAR, PAT)
    item = first.item(vector("vpim_in_basic.eml"), CHRIS)
    (done,) = first.perform(item)
    settle(first.room.spool.stop())
    renamed = Room(tmp_path, CHRIS, FAR, replace(PAT, display_name="Patricia Lee-Smythe (Far)"))
    settle(renamed.room.spool.recover())
    assert renamed.perform(item) == [done]
    assert len(renamed.held(CHRIS)) == 1


def settle(deferred):
    """It fires at once: everything runs in the calling thread here."""
    got = []
    deferred.addCallback(got.append)
    assert got == [None]


def test_success_is_told_once(room):
    """The item says `delivered`; what was committed for it keeps the wish to hear of failures only."""
    (outcome,) = room.deliver(vector("vpim_in_basic.eml"), CHRIS, notify=frozenset({"SUCCESS", "FAILURE"}))
    assert outcome.success == "delivered"
    item = room.item(vector("vpim_in_basic.eml"), CHRIS, notify=frozenset({"SUCCESS"}))
    assert _envelope(item, [Deliver(CHRIS.id, "1042@vm1.example.com")]).recipients == (
        Recipient("1042@vm1.example.com", frozenset({"NEVER"})),)
    later = replace(item, envelope=replace(item.envelope, hold_until=NOW + 60))
    assert _envelope(later, [Deliver(CHRIS.id, "1042@vm1.example.com")]).hold_until is None


def test_a_mailbox_that_is_gone(room):
    """Its user was deleted meanwhile: 5.1.1 for that one, the message for the others."""
    gone, done = room.deliver(vector("vpim_in_basic.eml"), replace(CHRIS, id="u-gone"), ROBIN)
    assert (gone.status, done.kind) == ("5.1.1", "done")


def test_a_full_disk_is_tried_again(tmp_path):
    """The message waits; nothing is lost, nobody is told yet."""
    class Full(Codec):
        def convert(self, *args, **kwargs):
            raise OSError(errno.ENOSPC, "No space left on device")

    room = Room(tmp_path, CHRIS, FAR, codec=Full())
    with pytest.raises(TryAgain) as caught:
        room.deliver(vector("vpim_in_basic.eml"))
    assert caught.value.reply.enhanced == "4.3.1"


def test_the_journal_tells(room):
    """How long it is and what was left out, for the trace."""
    room.deliver(vector("vpim_in_prohibited_parts.eml"))
    (told,) = room.room.journal.named("converted")
    trace, to, seconds, removed = told.args
    assert (trace, to, round(seconds, 1), removed) == (TRACE, "mailbox", 2.9, ("text/html", "agenda.pdf"))


def test_what_was_made_is_the_same_each_time(room):
    """Octet by octet: names in mailboxes are made of the size."""
    form = OutlookForm(codec=Codec(), book=room.book, host=HOST)
    item = room.item(vector("vpim_in_forwarded.eml"))
    made = []
    for _ in range(2):
        conversion = form.convert(item, b"", {True})
        made.append(conversion.made[True].file.read())
        conversion.close()
    assert made[0] == made[1]
    assert made[0].startswith(b"Received:")


def test_without_from_it_is_the_envelopes_sender(room):
    """A message that does not say who wrote it is from who sent it: From can be answered."""
    octets = vector("vpim_in_basic.eml")
    at = octets.index(b"From: ")
    room.deliver(octets[:at] + octets[octets.index(b"\r\n", at) + 2 :])
    message = parsed(room.held()[0])
    assert message["From"].addresses[0].addr_spec == SENDER
    assert text_of(message) == f"Voice message from {SENDER.partition('@')[0]}, 0:03.\n"


def test_a_disk_that_cannot_be_read_leaves_nothing(room, monkeypatch):
    """When what was made cannot be read to its end, it is tried again, and nothing of the first try stays."""
    pieces = [b"x" * 300_000]

    def broken(made, item):
        if pieces:
            return pieces.pop()
        raise TryAgain(why="broken")

    monkeypatch.setattr("unitymail.courier.perform.deliver_vpim._read", broken)
    with pytest.raises(TryAgain):
        room.deliver(vector("vpim_in_basic.eml"))
    assert os.listdir(room.room.places.intake) == []


@pytest.mark.parametrize(("field", "silent", "asks"), [
    (b"Disposition-Notification-To: <+14085550177@vpim.example.net>\r\n", False, True),
    (b"Disposition-Notification-To: <+14085550177@vpim.example.net>\r\n", True, False), (b"", False, False),
    (b"Disposition-Notification-To: <a@b.example>\r\nAuto-Submitted: auto-generated\r\n", False, False),
    (b"Disposition-Notification-To: <a@b.example>\r\nAuto-Submitted: no\r\n", False, True),
])
def test_who_wants_to_know_that_it_was_heard(room, field, silent, asks):
    """The mark in the mailbox, which receipts come from: for who asks, and is not a program; programs hear nothing."""
    committed = []
    commit = room.room.spool.commit

    def watched(incoming, envelope, decision, head, **facts):
        committed.append(decision.message.asks_receipt)
        return commit(incoming, envelope, decision, head, **facts)

    room.room.spool.commit = watched
    room.perform(replace(room.item(field + vector("vpim_in_basic.eml")), silent=silent))
    assert committed == [asks]
