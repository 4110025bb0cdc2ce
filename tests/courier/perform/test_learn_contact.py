"""A message from a VPIM location teaches: what is read of it, and what the directory holds afterwards."""

import io
import pathlib
from dataclasses import replace

import pytest
from twisted.internet.defer import ensureDeferred

from tests.fakes import FakeBook, InlineThreads, RecordingJournal
from tests.sound import samples_of, snr_db
from unitymail.codec import Codec
from unitymail.courier.perform.learn_contact import MOST_RETURNED, LearnContactPerformer
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.interfaces.codec import Sound
from unitymail.interfaces.spool import DONE, Item, StepState
from unitymail.mail.envelope import Envelope
from unitymail.people.contact import Contact
from unitymail.people.location import Location, LocationKind
from unitymail.routing.steps import LearnContact

VECTORS = pathlib.Path(__file__).parents[2] / "vectors"
NAME = (VECTORS / "audio/name.726").read_bytes()
NUMBER = b"8885550177"
ALL_ON = {"create_contacts": True, "modify_contacts": "always", "delete_contacts": True}


class Place:
    """`learn` performs the step for a message; `contacts` is what the directory holds."""

    def __init__(self, path):
        self.database = Database(path / "directory.sqlite")
        self.directory = Directory(self.database, lambda: 1_000_000.0)
        self.directory.found("vm1.example.com", "host.example.com")
        self.path = path / "message.eml"
        self.journal = RecordingJournal()
        self.location = self.add(Location("", LocationKind.VPIM, "Far", "vpim.example.net", remote_prefix="888"))

    def add(self, thing):
        with self.directory.change("test") as change:
            return change.add(thing)

    def contact(self, number="5550177", name="Pat Lee"):
        return self.add(Contact("", "pat", name, location=self.location.id, mailbox_number=number))

    def learn(self, octets, category="voice", known=None, step="", **switches):
        location = replace(self.location, **{**ALL_ON, **switches})
        with self.directory.read() as view:
            book = FakeBook(location, *(view.all(Contact) if known is None else known))
        threads = InlineThreads()
        performer = LearnContactPerformer(
            directory=self.directory, book=book, codec=Codec(), journal=self.journal, threads=threads,
            audio_threads=threads,
        )
        self.path.write_bytes(octets)
        item = Item("t1", str(self.path), 0.0, Envelope("", ()), category, "normal", False, "", "", location.id,
                    len(octets), 0, ())
        got = []
        ensureDeferred(performer.perform(item, StepState(LearnContact(step or location.id)))).addBoth(got.append)
        assert got == [DONE]

    @property
    def contacts(self):
        with self.directory.read() as view:
            return [(c.display_name, c.mailbox_number, view.spoken_name(c.id)) for c in view.all(Contact)]

    @property
    def told(self):
        return [event.args[2] for event in self.journal.named("contact_learned")]


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    place.database.close()


def vector(name):
    return (VECTORS / name).read_bytes().replace(b"+14085550177@", NUMBER + b"@")


def test_a_contact_is_made_of_a_message(place):
    """Number without the prefix, text name, recorded name in the location's partition."""
    place.learn(vector("vpim_in_basic.eml"))
    assert [contact[:2] for contact in place.contacts] == [("Lee, Pat", "5550177")]
    heard = io.BytesIO()
    seconds = Codec().convert([Sound(io.BytesIO(place.contacts[0][2]), "g726")], "pcm-wav", heard, most_seconds=30)
    assert abs(seconds - len(NAME) / 4_000) < 0.01
    assert place.told == ["created"]


def test_no_recorded_name_no_contact(place):
    """Unless the location says otherwise."""
    place.learn(vector("vpim_in_vcard_text_vcard.eml"))
    assert place.contacts == []
    place.learn(vector("vpim_in_vcard_text_vcard.eml"), create_without_name=True)
    assert place.contacts == [("Lee, Pat", "5550177", b"")]


def test_changed_and_then_gone(place):
    """A new text name changes the contact; without a recorded name, where one is needed, it goes (UC 4.5)."""
    place.contact(name="Patricia")
    place.learn(vector("vpim_in_basic.eml"), modify_contacts="name")
    assert [contact[:2] for contact in place.contacts] == [("Lee, Pat", "5550177")]
    place.learn(vector("vpim_in_vcard_text_vcard.eml"))
    assert place.contacts == []
    assert place.told == ["changed", "removed"]


def test_without_a_text_name_the_contact_keeps_its_own(place):
    """A message that names nobody takes no name away."""
    place.contact()
    octets = vector("vpim_in_basic.eml")
    at, end = octets.index(b"From:"), octets.index(b"<" + NUMBER)
    place.learn(octets[:at] + b"From: " + octets[end:])
    assert [(name, bool(spoken)) for name, _, spoken in place.contacts] == [("Pat Lee", True)]


@pytest.mark.parametrize("sender", [b"non-mail-user", b"5550177", b"888robin", b"888"])
def test_who_is_no_mailbox_teaches_nothing(place, sender):
    """Unidentified callers, numbers without the location's prefix, names."""
    place.learn(vector("vpim_in_basic.eml").replace(NUMBER + b"@", sender + b"@"))
    assert (place.contacts, place.told) == ([], [])


def test_a_long_recorded_name_is_cut(place):
    """Twenty seconds at most."""
    long = (
        b"From: \"Pat\" <" + NUMBER + b"@vpim.example.net>\r\n"
        b'Content-Type: multipart/voice-message; boundary="b"\r\n\r\n--b\r\nContent-Type: audio/32KADPCM\r\n'
        b"Content-Transfer-Encoding: binary\r\nContent-Disposition: inline; voice=Originator-Spoken-Name\r\n\r\n"
        + b"\x22" * 100_000 + b"\r\n--b--\r\n"
    )
    place.learn(long)
    assert [len(contact[2]) for contact in place.contacts] == [80_000]


def test_a_long_recorded_name_of_another_form_is_cut_too(place):
    """It does not count as missing: where names are required, the contact stays."""
    place.contact()
    wav = io.BytesIO()
    Codec().convert([Sound(io.BytesIO(b"\x22" * 100_000), "g726")], "mu-law-wav", wav, most_seconds=30)
    place.learn(
        b"From: \"Pat\" <" + NUMBER + b"@vpim.example.net>\r\n"
        b'Content-Type: multipart/voice-message; boundary="b"\r\n\r\n--b\r\nContent-Type: audio/wav\r\n'
        b"Content-Transfer-Encoding: binary\r\nContent-Disposition: inline; voice=Originator-Spoken-Name\r\n\r\n"
        + wav.getvalue() + b"\r\n--b--\r\n"
    )
    assert [(name, len(spoken)) for name, _, spoken in place.contacts] == [("Pat", 80_000)]


def test_a_name_that_cannot_be_heard_is_none(place):
    """Garbage in the place of a recorded name: as if there were none."""
    octets = vector("vpim_in_basic.eml").replace(b"Audio/32KADPCM", b"audio/vnd.odd", 1)
    place.learn(octets, create_without_name=True)
    assert place.contacts == [("Lee, Pat", "5550177", b"")]


def report(address=b"8885550177@vpim.example.net", status=b"5.1.1", action=b"failed"):
    return (
        b"From: <postmaster@vpim.example.net>\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nSorry.\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; vpim.example.net\r\n\r\n"
        b"Final-Recipient: rfc822; " + address + b"\r\nAction: " + action + b"\r\nStatus: " + status + b"\r\n--b--\r\n"
    )


def test_a_returned_message_ends_a_contact(place):
    """5.1.1 for a contact's number, from its own location, with the switch on: the contact goes."""
    place.contact()
    place.learn(report(), "receipt", delete_contacts=False)
    for harmless in (report(status=b"5.2.2"), report(action=b"delayed"), report(b"8885550177@elsewhere.example"),
                     report(b"5550177@vpim.example.net"), report(b"")):
        place.learn(harmless, "receipt")
    assert len(place.contacts) == 1
    place.learn(report(), "receipt")
    assert (place.contacts, place.told) == ([], ["removed"])


def test_a_report_that_names_the_number_as_it_was_written(place):
    """The peer's own name for the mailbox means nothing here; what we wrote does (Original-Recipient)."""
    place.contact()
    octets = report(b"pat@inside.vpim.example.net").replace(
        b"Final-", b"Original-Recipient: rfc822; 8885550177@vpim.example.net\r\nFinal-")
    place.learn(octets, "receipt")
    assert place.contacts == []


def test_a_report_of_very_many_teaches_the_first(place):
    """One report does not empty a directory."""
    place.contact("9999", "Last")
    first = b"".join(
        b"Final-Recipient: rfc822; 888%d@vpim.example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n" % number
        for number in range(MOST_RETURNED)
    )
    place.learn(report(b"8889999@vpim.example.net").replace(b"Final-", first + b"Final-", 1), "receipt")
    assert len(place.contacts) == 1


@pytest.mark.parametrize("swap", [False, True])
def test_the_order_of_code_words(place, swap):
    """A location that writes them the other way round is heard the way it writes."""
    octets = vector("vpim_in_basic.eml")
    place.learn(octets, swap_code_words=swap)
    spoken = place.contacts[0][2]
    other = bytes((o << 4 & 0xF0) | o >> 4 for o in NAME)
    reference = samples_of(other if swap else NAME, "g726")
    wrong = samples_of(NAME if swap else other, "g726")
    assert snr_db(reference, samples_of(spoken, "g726")) > snr_db(wrong, samples_of(spoken, "g726")) + 6


def test_what_is_refused_is_told_and_done(place):
    """The book has not heard yet of a contact made a moment ago: a line in the journal, and the step is done."""
    place.learn(vector("vpim_in_basic.eml"))
    place.learn(vector("vpim_in_basic.eml"), known=())
    assert len(place.contacts) == 1
    created, refused = place.told
    assert created == "created"
    assert refused.startswith("refused: The mailbox 5550177 at that location belongs to")


def test_a_location_that_is_gone(place):
    """Nothing is learned of it, and the step is done."""
    place.learn(vector("vpim_in_basic.eml"), id="l-gone", step=place.location.id)
    assert place.contacts == []
