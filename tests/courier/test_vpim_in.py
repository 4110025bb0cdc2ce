"""VPIM all the way in: decided, committed, converted by the courier, in the mailbox; or returned to the sender."""

import pathlib
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from tests.courier.fake_relay import FakeRelay
from tests.fakes import CHRIS, ROBIN, TERRY, FakeBook
from tests.spool.room import HOST, a_spool
from unitymail.codec import Codec
from unitymail.courier.courier import Courier
from unitymail.courier.deciding import Decider
from unitymail.courier.destinations import Destinations
from unitymail.courier.dispatch import Dispatch
from unitymail.courier.perform import find_performers
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.trace import head_block
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location, LocationKind
from unitymail.people.user import Action, Actions
from unitymail.routing import categorise
from unitymail.routing.decide import decide
from unitymail.routing.decision import Origin
from unitymail.settings.site import SiteSettings
from unitymail.spool.badmail import BadMailFolder

VECTORS = pathlib.Path(__file__).parents[1] / "vectors"
SENDER = "+14085550177@vpim.example.net"
TRACE = "0abcdefghi0123456789"
NO_FAX = Actions(fax=Action.REJECT)
EVERYBODY = DistributionList("d-all", "all", "all@vm1.example.com", "All", members=(CHRIS.id, TERRY.id),
                             accept_foreign=True, partition="p-default")


class Room:
    """A node without doors: `come` is what a door does with a message."""

    def __init__(self, root, *objects, **switches):
        self.database = Database(root / "directory.sqlite")
        self.directory = Directory(self.database, lambda: 1_000_000.0)
        self.directory.found("vm1.example.com", HOST)
        with self.directory.change("test") as change:
            far = change.add(Location("", LocationKind.VPIM, "Far", "vpim.example.net", host="192.0.2.9", **switches))
        far = replace(far, scope="s-all")
        self.book = FakeBook(*(objects or (ROBIN, CHRIS, TERRY)), far, site=SiteSettings())
        self.room = room = a_spool(root)
        self.decider = Decider(self.book, room.usage, HOST)
        self.relay = FakeRelay()
        destinations = Destinations()
        performers = find_performers(
            store=room.store, spool=room.spool, badmail=BadMailFolder(room.places.root, disk=room.disk,
                                                                      now=room.clock.seconds),
            book=self.book, usage=room.usage, doorbell=room.doorbell, journal=room.journal, threads=room.threads,
            decider=self.decider, clock=room.clock, node_id="n1", codec=Codec(), audio_threads=room.threads,
            directory=self.directory,
            dispatch=Dispatch(relay=self.relay, destinations=destinations, book=self.book, journal=room.journal,
                              clock=room.clock),
        )
        self.courier = Courier(
            queue=room.spool.queue, performers=performers, destinations=destinations, threads=room.threads,
            book=self.book, journal=room.journal, clock=room.clock, decide=self.decider.decide_item,
        )
        room.spool.recover()
        self.courier.start()

    def come(self, name, *recipients, notify=None):
        octets = name if isinstance(name, bytes) else (VECTORS / name).read_bytes()
        message = categorise.read(octets, ())
        envelope = Envelope(SENDER, tuple(Recipient(one, notify) for one in recipients or ("1042@vm1.example.com",)),
                            body="binarymime")
        origin = Origin("mta", "192.0.2.9", "vpim.example.net", trust="trusted")
        decision = decide(message, envelope, origin, self.book, self.room.usage)
        assert decision.refusal is None
        head = head_block(trace=TRACE, envelope=envelope, origin=origin, decision=decision, host=HOST,
                          when=self.room.clock.seconds(), subject=None)
        incoming = self.room.spool.receive(TRACE)
        for at in range(0, len(octets), 32_768):
            incoming.write(octets[at : at + 32_768])
        self.room.spool.commit(incoming, envelope, decision, head)
        for _ in range(20):
            self.room.clock.advance(0.25)

    def held(self, user=CHRIS):
        return [message_from_bytes(octets, policy=policy.default)
                for octets in self.room.store.mailbox(user.id).values()]

    @property
    def reports(self):
        return [event.args for event in self.room.journal.named("reported")]

    @property
    def troubles(self):
        return self.room.journal.named("trouble") + self.room.journal.named("shunted")


@pytest.fixture
def room(tmp_path):
    room = Room(tmp_path, create_contacts=True, create_without_name=True)
    yield room
    room.courier.stop()
    room.database.close()


def names_in(message):
    return [part.get_filename() or part.get_content_type() for part in message.walk() if not part.is_multipart()]


def test_a_voice_message_comes_in(room):
    """Chris finds one message that plays; the item is gone; the directory knows Pat; nobody was told anything."""
    room.come("vpim_in_basic.eml")
    (message,) = room.held()
    assert names_in(message) == ["text/plain", "VoiceMessage.wav"]
    assert message["Return-Path"] == f"<{SENDER}>"
    assert room.room.spool.queue.look() == 0
    assert (room.reports, room.troubles) == ([], [])
    with room.directory.read() as view:
        assert [contact.display_name for contact in view.all(Contact)] == ["Lee, Pat"]
    assert [event.args[:2] for event in room.room.journal.named("delivered")] == [(f"{TRACE}-v0", CHRIS.id)]


def test_a_list_hears_it_once_each(tmp_path):
    """Members of a list and a recipient beside it share one conversion, whoever takes no fax has a variant."""
    room = Room(tmp_path, ROBIN, CHRIS, replace(TERRY, actions=NO_FAX), EVERYBODY)
    room.come("vpim_in_voice_and_fax.eml", "all@vm1.example.com", "1041@vm1.example.com")
    assert [names_in(message) for user in (ROBIN, CHRIS, TERRY) for message in room.held(user)] == [
        ["text/plain", "VoiceMessage.wav", "FaxMessage.tif"], ["text/plain", "VoiceMessage.wav", "FaxMessage.tif"],
        ["text/plain", "VoiceMessage.wav"],
    ]
    assert len(room.room.journal.named("converted")) == 1
    assert room.troubles == []
    room.database.close()


def test_an_unknown_codec_goes_back_whole(room):
    """RFC 3801 4.5.3: the report says 5.6.1 and has the content; it leaves for the location it came from."""
    room.come("vpim_in_unknown_codec.eml")
    assert room.held() == []
    ((trace, report, to, count),) = room.reports
    assert (trace, to, count) == (TRACE, SENDER, 1)
    (bounce,) = [item for item in room.room.journal.named("failed") if item.args[0] == TRACE]
    assert bounce.args[2] == "5.6.1"
    assert report == f"{TRACE}-r0"


def test_success_is_told_when_it_is_converted(room):
    """NOTIFY=SUCCESS: one `delivered`, after the conversion, and not a second one for what was made of it."""
    room.come("vpim_in_basic.eml", notify=frozenset({"SUCCESS", "FAILURE"}))
    assert len(room.held()) == 1
    assert [args[0] for args in room.reports] == [TRACE]


def test_large_ones_come_in_too(room):
    """A message that is not kept in memory is mapped, converted and committed in pieces; sixty notes are one."""
    octets = (VECTORS / "vpim_in_basic.eml").read_bytes()
    start = octets.index(b"--MessageBoundary", octets.index(b"Originator-Spoken-Name"))
    part = octets[start : octets.rindex(b"--MessageBoundary")]
    room.come(octets.replace(part, part * 60))
    (message,) = room.held()
    assert names_in(message) == ["text/plain", "VoiceMessage.wav"]
    assert "2:55" in message.get_body().get_content()
    assert len(next(part for part in message.walk() if part.get_filename()).get_payload(decode=True)) > 1_300_000
    assert room.troubles == []


def test_nothing_is_delivered_before_it_is_converted(tmp_path):
    """VPIM is never linked into a mailbox as it is."""
    room = Room(tmp_path)
    room.courier.stop()
    room.come("vpim_in_basic.eml")
    assert room.held() == []
    assert room.room.spool.queue.look() == 1
    room.database.close()
