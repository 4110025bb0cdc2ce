"""Notices to users about their own mailboxes: where they go, what they say, and that each comes once."""

from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from twisted.internet import defer

from tests.courier.room import waiting_items
from tests.fakes import CHRIS, ROBIN, FakeBook
from tests.spool.room import HOST, NOW, a_spool
from unitymail.courier.deciding import Decider
from unitymail.courier.notice_words import about_age, about_fullness, octets_in_words
from unitymail.courier.notices import Notices
from unitymail.people.user import Quota
from unitymail.policy.aging import Alert, Rule, Warned
from unitymail.policy.fullness import Crossed, Level
from unitymail.routing.steps import RelayToSmartHost
from unitymail.settings.site import SiteSettings

MIB = 1024 * 1024
QUOTA = Quota(12 * MIB, 13 * MIB, 14 * MIB)
SMART = SiteSettings(smart_host_host="out.example")
OUTSIDE = replace(CHRIS, corporate_address="chris@corp.example", quota=QUOTA)


def crossed(level=Level.WARNING, octets=12 * MIB + MIB // 5, quota=QUOTA, at=int(NOW)):
    return Crossed(CHRIS.id, level, octets, quota, at)


class Room:
    def __init__(self, root, *people, site=None):
        self.room = a_spool(root)
        self.room.spool.recover()
        self.book = FakeBook(*(people or (ROBIN, CHRIS)), site=site)
        self.journal = self.room.journal
        self.begin()

    def begin(self):
        self.notices = Notices(
            spool=self.room.spool, decider=Decider(self.book, self.room.usage, HOST), book=self.book,
            journal=self.journal, threads=self.room.threads,
        )

    def tell(self, what):
        work = self.notices.tell_of_age(what) if isinstance(what, Warned) else self.notices.tell_of_fullness(what)
        done = defer.ensureDeferred(work)
        self.room.clock.advance(1)
        assert done.called
        return done.result

    def held(self, account=CHRIS.id):
        return [message_from_bytes(octets, policy=policy.default)
                for octets in self.room.store.mailbox(account).values()]


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_into_the_mailbox_itself(room):
    """Without a corporate address: from the postmaster, marked as made by a program, to be answered by none."""
    room.room.usage[CHRIS.id] = 14 * MIB
    room.tell(crossed(Level.RECEIVE, 14 * MIB))
    [message] = room.held()
    assert message["Return-Path"] == "<>" and message["Auto-Submitted"] == "auto-generated"
    assert message["From"].addresses[0].addr_spec == "postmaster@vm1.example.com"
    assert message["To"] == "Chris Jones <chris@vm1.example.com>" and message["Subject"] == "Your mailbox is full"
    said = " ".join(message.get_content().split())
    assert "It holds 14 MB; with 14 MB or more you cannot get messages." in said
    [event] = room.journal.named("notified")
    trace, account, to, about = event.args
    assert (account, to, about) == (CHRIS.id, CHRIS.address, "quota receive")
    assert f"Reference: {trace} at {HOST}" in message.get_content()
    assert room.journal.named("decided")[0].args[0] == trace


def test_to_the_corporate_address(tmp_path):
    """Through the smart host; the mailbox is spared."""
    room = Room(tmp_path, OUTSIDE, site=SMART)
    room.tell(crossed())
    [item] = waiting_items(room.room)
    assert [state.step for state in item.steps] == [RelayToSmartHost("chris@corp.example")]
    assert item.envelope.sender == "" and item.envelope.recipients[0].notify == {"NEVER"}
    assert room.held() == []


@pytest.mark.parametrize("people", [
    (OUTSIDE, replace(ROBIN, proxies=("chris@corp.example",))),
    (replace(OUTSIDE, proxies=("chris@corp.example",)),),
])  # fmt: skip
def test_a_corporate_address_that_is_ours(tmp_path, people):
    """It goes nowhere else: it is the user's mailbox that it is about."""
    room = Room(tmp_path, *people, site=SMART)
    room.tell(crossed())
    assert len(room.held()) == 1 and waiting_items(room.room) == []


def test_without_a_smart_host(tmp_path):
    """There is no way to the corporate address, so the mailbox gets it."""
    room = Room(tmp_path, OUTSIDE)
    room.tell(crossed())
    assert len(room.held()) == 1


def test_once(room):
    """Told again of the same crossing, by this process or after a crash, the user has one notice; of the next, two."""
    room.tell(crossed())
    room.tell(crossed())
    room.room = a_spool(room.room.root, store=room.room.store)
    room.room.spool.recover()
    room.begin()
    room.tell(crossed())
    assert len(room.held()) == 1
    room.tell(crossed(at=int(NOW) + 1))
    assert len(room.held()) == 2


def test_who_is_not_here(tmp_path):
    """Of users who are gone, or whose mailbox is elsewhere, nobody is told."""
    room = Room(tmp_path, replace(CHRIS, home="l-peer"))
    room.tell(crossed())
    room.tell(Warned("u-nobody", int(NOW), (Alert(Rule.NEW, 1, NOW),)))
    assert room.held() == [] and room.journal.named("notified") == []


def test_about_old_mail(room):
    """What goes, how much of it, from when on, and what to do."""
    alerts = (Alert(Rule.DELETED, 3, NOW + 86_400), Alert(Rule.RECORDING, 1, NOW + 172_800))
    room.tell(Warned(CHRIS.id, int(NOW), alerts))
    [message] = room.held()
    assert message["Subject"] == "4 messages in your mailbox will soon be too old"
    said = " ".join(message.get_content().split())
    assert "3 messages in Deleted Items will be removed for good, from 25 Nov 2025 16:00 UTC on." in said
    assert "1 message will have no recording any more" in said
    assert "file in another folder" in said
    assert room.journal.named("notified")[0].args[3] == "aging"


@pytest.mark.parametrize("level", [level for level in Level if level])
def test_words_of_each_level(level):
    """How full it is, what that means now and at the limits to come, and what to do."""
    subject, said = about_fullness(crossed(level))
    text = " ".join(said)
    assert subject in text and "12.2 MB" in text and "Please delete messages" in text
    to_come = text.count("any more")
    assert to_come == {Level.WARNING: 2, Level.SEND: 1, Level.RECEIVE: 0}[level]


def test_limits_that_a_user_does_not_have():
    """Nobody is warned of them."""
    _, said = about_fullness(crossed(quota=Quota(12 * MIB, 0, 0)))
    assert "any more" not in " ".join(said)


@pytest.mark.parametrize("rule", list(Rule))
def test_words_of_each_rule(rule):
    """Each says something of its own, whatever the number."""
    for count in (1, 7):
        subject, said = about_age(Warned("u", 1, (Alert(rule, count, NOW),)))
        assert subject.startswith("1 message in" if count == 1 else "7 messages in") and "UTC on." in said[0]


@pytest.mark.parametrize(("octets", "words"), [
    (0, "0 KB"), (2047, "1 KB"), (MIB, "1 MB"), (14 * MIB, "14 MB"), (14 * MIB + MIB // 2, "14.5 MB"),
])  # fmt: skip
def test_octets_in_words(octets, words):
    """As people count their mail."""
    assert octets_in_words(octets) == words
