"""Messages to VPIM contacts: converted for each location, sent, and what the sender and the directory hear of it."""

import os
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from tests import rfc3801
from tests.courier.fake_relay import NO_ANSWER, SITE, FakeRelay
from tests.courier.vpim_post import (
    BRANCH,
    CHRIS,
    ENTRIES,
    PEER,
    SAM,
    TO_CHRIS,
    TO_SAM,
    TRAIL,
    VOICE,
    Post,
    vector,
    voice_mail,
)
from tests.fakes import ROBIN, FakeBook, FakeUsage, InlineThreads, RecordingJournal
from tests.sound import NEAR_DB, REFERENCE, samples_of, snr_db
from unitymail.codec import Codec
from unitymail.courier.deciding import Decider
from unitymail.courier.destinations import Destinations
from unitymail.courier.dispatch import Dispatch
from unitymail.courier.perform.convert import ConvertPerformer, left_out
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import IManyStepsPerformer, Outcome, StepState
from unitymail.mail.envelope import Recipient
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.routing import categorise
from unitymail.routing.steps import Convert

WORD = (b"Content-Type: application/msword; name=minutes.doc\r\nContent-Disposition: attachment", b"x")
REFUSED = Outcome("failed", "5.1.1", "Nobody there.", "550 5.1.1 nobody", "vm.branch.example.org")


class ReadingRelay(FakeRelay):
    """Keeps the octets that it was given to send, which are gone afterwards."""

    async def send(self, hop, outgoing):
        with open(outgoing.path, "rb") as file:
            file.seek(outgoing.offset)
            self.octets = outgoing.head + (outgoing.content or file.read())
        assert len(self.octets) == outgoing.size
        return await super().send(hop, outgoing)


class Directory:
    """Remembers which contacts were deleted."""

    def __init__(self, *contacts):
        self.contacts = {contact.id: contact for contact in contacts}
        self.deleted = []

    def change(self, who):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def get(self, kind, id):
        return self.contacts.get(id)

    def delete(self, kind, id):
        self.deleted.append(id)


class Office:
    """The performer between a real dispatch and a relay of ours."""

    def __init__(self, folder, *objects, relay=None, site=SITE):
        self.post = Post(folder)
        self.book = FakeBook(*(objects or (ROBIN, BRANCH, PEER, CHRIS, SAM)), site=site)
        self.relay = relay or ReadingRelay()
        self.journal = RecordingJournal()
        self.clock = Clock()
        self.directory = Directory(CHRIS, SAM)
        self.destinations = Destinations()
        dispatch = Dispatch(relay=self.relay, destinations=self.destinations, book=self.book, journal=self.journal,
                            clock=self.clock)
        self.performer = ConvertPerformer(
            dispatch=dispatch, book=self.book, directory=self.directory, codec=Codec(), journal=self.journal,
            decider=Decider(self.book, FakeUsage(), "vm1.example.com"), threads=InlineThreads(),
            audio_threads=InlineThreads(),
        )

    def send(self, octets, *steps, attempts=0, **facts):
        """The outcomes of one attempt."""
        steps = steps or (TO_CHRIS,)
        item = self.post.item(octets, **facts)
        return self.perform(replace(item, received=TRAIL), *steps, attempts=attempts)

    def perform(self, item, *steps, attempts=0):
        got = []
        states = [StepState(step, attempts) for step in steps]
        ensureDeferred(self.performer.perform_many(item, states)).addBoth(got.append)
        (outcomes,) = got
        if not isinstance(outcomes, list):
            outcomes.raiseException()
        assert os.listdir(self.post.folder) == ["item.eml"]
        return outcomes

    @property
    def sent(self):
        ((hop, outgoing),) = self.relay.sent
        return hop, outgoing


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def test_it_performs_many_for_a_location():
    """Steps for one location are one message; those for another are another."""
    performer = ConvertPerformer.__new__(ConvertPerformer)
    assert IManyStepsPerformer.providedBy(performer)
    assert performer.group(TO_CHRIS) == performer.group(TO_SAM)
    assert performer.group(TO_CHRIS) != performer.group(replace(TO_CHRIS, location="l-peer"))
    assert performer.together == 100


def test_sent(office):
    """Both recipients get one message over one transaction, as RFC 3801 has it, and hear the voice."""
    octets = vector("viewmail_voice.eml").replace(b"To: ", b"To: sam.roe@example.com, ", 1)
    recipients = (TO_CHRIS.original, TO_SAM.original)
    outcomes = office.send(octets, TO_CHRIS, TO_SAM, recipients=recipients)
    assert outcomes == [Outcome("done"), Outcome("done")]
    hop, outgoing = office.sent
    assert hop == "vpim l-branch"
    assert outgoing.sender == "71041@vm1.example.com"
    assert [one.address for one in outgoing.recipients] == [TO_CHRIS.to, TO_SAM.to]
    assert (outgoing.body, outgoing.smtputf8, outgoing.told) == ("7bit", False, None)
    rfc3801.check(office.relay.octets, outgoing.sender, [TO_CHRIS.to, TO_SAM.to])
    assert snr_db(REFERENCE, samples_of(rfc3801.voice(office.relay.octets), "g726")) >= NEAR_DB
    (event,) = office.journal.named("converted")
    assert event.args[:2] == ("0abcdefghij0123456789", "Branch")
    assert event.args[2] == pytest.approx(2.92, abs=0.01)


def test_what_was_in_memory_is_not_what_is_sent(office):
    """A small message that the queue read with its envelope is converted like any other."""
    octets = vector("viewmail_voice.eml")
    item = replace(office.post.item(octets), received=TRAIL, content=octets)
    assert office.perform(item, TO_CHRIS) == [Outcome("done")]
    rfc3801.check(office.relay.octets, office.sent[1].sender, [TO_CHRIS.to])


def test_one_alone(office):
    """The courier may ask for a single step."""
    item = replace(office.post.item(vector("viewmail_voice.eml")), received=TRAIL)
    got = []
    ensureDeferred(office.performer.perform(item, StepState(TO_CHRIS))).addBoth(got.append)
    assert got == [Outcome("done")]


def test_wishes_go_along(office):
    """RET, ENVID, NOTIFY, ORCPT, REQUIRETLS and DELIVERBY of the sender reach the location."""
    item = office.post.item(vector("viewmail_voice.eml"))
    wish = Recipient(TO_CHRIS.original, frozenset({"SUCCESS", "FAILURE"}), "rfc822;c@example.com")
    envelope = replace(item.envelope, recipients=(wish,), ret="HDRS", envid="e1", require_tls=True, deliver_by=5.0,
                       deliver_by_mode="R", smtputf8=True, body="8bitmime")
    office.perform(replace(item, envelope=envelope), TO_CHRIS)
    _, outgoing = office.sent
    assert outgoing.recipients == (Recipient(TO_CHRIS.to, wish.notify, wish.orcpt),)
    assert (outgoing.ret, outgoing.envid, outgoing.require_tls) == ("HDRS", "e1", True)
    assert (outgoing.deliver_by, outgoing.deliver_by_mode, outgoing.smtputf8) == (5.0, "R", False)


def test_something_left_out(office):
    """The sender who asks for success is told what was left out, and that it went on; a refusal stays a refusal."""
    (outcome,) = office.send(voice_mail(VOICE, WORD))
    assert (outcome.kind, outcome.status, outcome.success) == ("done", "2.6.4", "relayed")
    assert outcome.why.startswith("“minutes.doc” was left out:")
    assert office.journal.named("converted")[0].args[3] == ("minutes.doc",)
    office.relay.answers = {"vpim l-branch": [REFUSED]}
    (outcome,) = office.send(voice_mail(VOICE, WORD))
    assert (outcome.kind, outcome.status) == ("failed", "5.1.1")


@pytest.mark.parametrize(("removed", "expected"), [
    (["a.doc"], "“a.doc” was left out"), (["a.doc", "text/calendar"], "“a.doc” and text/calendar were left out"),
    ([f"{n}.doc" for n in range(8)], "“0.doc”, “1.doc”, “2.doc”, “3.doc”, “4.doc” and 3 more were left out"),
])
def test_words(removed, expected):
    """What was left out in a sentence, however much it was."""
    assert left_out(removed).startswith(expected + ": ")


@pytest.mark.parametrize(("octets", "facts", "location", "status"), [
    (vector("email_plain.eml"), {}, {}, "5.6.1"), (vector("broken_empty.eml"), {}, {}, "5.6.0"),
    (voice_mail((VOICE[0], b"no sound")), {}, {}, "5.6.5"),
    (vector("email_music_mp3.eml"), {}, {"voice_only": True}, "5.6.1"),
    (vector("viewmail_voice.eml"), {"secure": True}, {}, "5.7.1"),
    (vector("smtputf8_headers.eml"), {"sender": "jörg@example.com"}, {}, "5.6.7"),
])
def test_returned(tmp_path, octets, facts, location, status):
    """What cannot be converted, or may not, is not sent, and holds no place; the sender hears the status and why."""
    office = Office(tmp_path, ROBIN, replace(BRANCH, **location), CHRIS)
    secure = facts.pop("secure", False)
    item = replace(office.post.item(octets, **facts), secure=secure, received=TRAIL)
    outcomes = office.perform(item, TO_CHRIS, TO_SAM)
    assert [(one.kind, one.status) for one in outcomes] == [("failed", status)] * 2
    assert outcomes[0].why.endswith(".")
    assert office.relay.sent == []
    assert not office.destinations._known


@pytest.mark.parametrize("name", [n for n, e in ENTRIES.items() if e["vpim"].get("status") == "5.7.1"])
def test_secure_vectors(office, name):
    """A secure message, however its header says so, does not go to a location that is not allowed it."""
    octets = vector(name)
    secure = categorise.read(octets, parse_secure_headers("X-Unity-Secure: true")).secure
    (outcome,) = office.perform(replace(office.post.item(octets), secure=secure), TO_CHRIS)
    assert (outcome.kind, outcome.status) == ("failed", "5.7.1")
    assert office.relay.sent == []


def test_secure_where_it_is_allowed(tmp_path):
    """A location that may have secure messages gets them."""
    office = Office(tmp_path, ROBIN, replace(BRANCH, allow_secure=True), CHRIS)
    item = replace(office.post.item(vector("viewmail_voice.eml")), secure=True)
    assert office.perform(item, TO_CHRIS) == [Outcome("done")]


def test_too_long(tmp_path):
    """More audio than the site converts is refused before it is sent."""
    office = Office(tmp_path, site=replace(SITE, vpim_max_seconds=1))
    (outcome,) = office.send(vector("viewmail_voice.eml"))
    assert (outcome.kind, outcome.status) == ("failed", "5.3.4")


@pytest.mark.parametrize("name", [n for n, e in ENTRIES.items() if e["vpim"]["result"] == "pass-through"])
def test_reports_pass(office, name):
    """Delivery reports and read receipts go to the location as they are, from the null sender."""
    octets = vector(name)
    assert office.send(octets, sender="") == [Outcome("done")]
    _, outgoing = office.sent
    assert office.relay.octets == TRAIL + octets
    assert (outgoing.sender, [one.address for one in outgoing.recipients]) == ("", [TO_CHRIS.to])
    assert office.journal.named("converted") == []


def test_not_converted_for_a_location_that_is_down(office):
    """While the location does not answer nothing is converted for it; the sender is not told anything yet."""
    office.relay.always = {"vpim l-branch": NO_ANSWER}
    (outcome,) = office.send(vector("viewmail_voice.eml"))
    assert outcome.kind == "try-again"
    before = len(office.journal.named("converted"))
    (outcome,) = office.send(vector("viewmail_voice.eml"), attempts=1)
    assert outcome.kind == "later"
    assert len(office.relay.sent) == 1
    assert len(office.journal.named("converted")) == before == 1


def test_converted_again_without_a_word(office):
    """A second attempt converts anew, and the journal tells of the conversion once."""
    office.relay.answers = {"vpim l-branch": [Outcome("try-again", "4.2.0", "Busy.")]}
    (first,) = office.send(vector("viewmail_voice.eml"))
    before = office.relay.octets
    (second,) = office.send(vector("viewmail_voice.eml"), attempts=1)
    assert (first.kind, second.kind) == ("try-again", "done")
    assert office.relay.octets == before
    assert len(office.journal.named("converted")) == 1


def test_through_the_smart_host(tmp_path):
    """A location without a host of its own is reached through the smart host."""
    office = Office(tmp_path, ROBIN, replace(BRANCH, host=""), CHRIS)
    office.send(vector("viewmail_voice.eml"))
    assert office.sent[0] == "smart-host"


def test_location_gone(tmp_path):
    """A location that was deleted meanwhile fails, with a reason."""
    office = Office(tmp_path, ROBIN, CHRIS)
    (outcome,) = office.send(vector("viewmail_voice.eml"))
    assert (outcome.kind, outcome.status) == ("failed", "5.3.5")


@pytest.mark.parametrize(("switch", "deleted"), [(True, ["c-sam"]), (False, [])])
def test_nobody_there_any_more(tmp_path, switch, deleted):
    """A location that says 5.1.1 of a recipient loses that contact, where its switch says so, and only that one."""
    office = Office(tmp_path, ROBIN, replace(BRANCH, delete_contacts=switch), CHRIS, SAM)
    office.relay.answers = {"vpim l-branch": [Attempt((Outcome("done"), REFUSED))]}
    outcomes = office.send(vector("viewmail_voice.eml"), TO_CHRIS, TO_SAM)
    assert [one.status for one in outcomes] == ["2.0.0", "5.1.1"]
    assert office.directory.deleted == deleted


@pytest.mark.parametrize("status", ["5.0.0", "5.1.0", "5.1.10", "5.2.1", "5.2.2", "5.4.4", "5.6.1", "5.7.1"])
def test_whoever_is_there_still(tmp_path, status):
    """No other refusal costs anybody the contact: not a policy, a full mailbox, or a reply without a code."""
    office = Office(tmp_path, ROBIN, replace(BRANCH, delete_contacts=True), CHRIS, SAM)
    office.relay.answers = {"vpim l-branch": [Attempt((replace(REFUSED, status=status),))]}
    (outcome,) = office.send(vector("viewmail_voice.eml"))
    assert outcome.status == status
    assert office.directory.deleted == []


def test_a_full_disk_is_passing(office, monkeypatch):
    """When there is no room to convert, the message waits."""

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("unitymail.courier.scratch.tempfile.TemporaryFile", full)
    with pytest.raises(TryAgain) as trouble:
        office.send(vector("viewmail_voice.eml"))
    assert trouble.value.reply.enhanced == "4.3.1"


def test_the_file_lives_as_long_as_the_attempt(tmp_path):
    """The converted file can be read while it is under way, and is gone when that is over, well or not."""
    gate = Deferred()
    office = Office(tmp_path, relay=FakeRelay(**{"vpim l-branch": [gate]}))
    item = replace(office.post.item(vector("viewmail_voice.eml")), received=TRAIL)
    got = []
    ensureDeferred(office.performer.perform_many(item, [StepState(TO_CHRIS)])).addBoth(got.append)
    _, outgoing = office.sent
    under_way = os.stat(outgoing.path)
    assert under_way.st_size == outgoing.size
    gate.errback(RuntimeError("for the test"))
    assert isinstance(got[0].value, RuntimeError)
    assert not os.path.exists(outgoing.path) or os.stat(outgoing.path).st_ino != under_way.st_ino


def test_a_blind_address(office):
    """A mailbox at the location that is no contact is reached, without a name."""
    step = Convert("l-branch", "", "8999@branch.example.org", "55+999@vm1.example.com")
    assert office.send(vector("viewmail_voice.eml"), step, recipients=(step.original,)) == [Outcome("done")]
    assert b"\r\nTo: <8999@branch.example.org>\r\n" in office.relay.octets
