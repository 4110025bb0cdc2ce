"""Days of bad luck, drawn at random: whatever hops and disk do, each recipient is reached once or told of once."""

import random
import re
from collections import Counter
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred, fail

from tests.courier.fake_relay import BUSY, NO_ANSWER, NOBODY, PEER, SITE, FakeRelay
from tests.courier.memory import a_desk, pass_time, put_together, send, start
from tests.fakes import CHRIS, ROBIN, TERRY, FakeBook
from unitymail.courier.courier import AT_ONCE
from unitymail.interfaces.relay import Attempt
from unitymail.interfaces.spool import DONE
from unitymail.mail.envelope import NULL_SENDER
from unitymail.routing.steps import Deliver, HandOver, RelayToSmartHost

OTHER = replace(PEER, id="l-other", name="vm3", domain="vm3.example.com")
HOUR = 3_600
TOLD = re.compile(rb"Final-Recipient: rfc822; (\S+)\r\nAction: (\S+)")


class Days:
    """A node whose `luck` decides what happens; `bad` as long as things go wrong."""

    def __init__(self, folder, seed):
        self.luck = random.Random(seed)
        self.bad = True
        self.gone_until = {}
        book = FakeBook(ROBIN, CHRIS, TERRY, PEER, OTHER, site=SITE)
        self.desk = a_desk(
            folder, book=book, relay=FakeRelay(most=self.luck.choice([1, 2, 8])),
            at_once=self.luck.choice([2, 5, AT_ONCE]),
        )
        self.clock, self.queue, self.relay = self.desk.clock, self.desk.queue, self.desk.relay
        self.relay.attempt = self.attempt
        self.queue.record = self.slowly(self.queue.record)
        self.queue.finish = self.slowly(self.queue.finish)
        self.recipients, self.nobodys = {}, set()
        start(self.desk)

    async def attempt(self, hop, outgoing):
        luck, began, many = self.luck, self.clock.seconds(), len(outgoing.recipients)
        gone = self.bad and began < self.gone_until.get(hop.key, 0)
        if self.bad and not gone and luck.random() < 0.1:
            self.gone_until[hop.key] = began + luck.choice([10, 200, 5_000])
        chance = luck.random() if self.bad else 1.0
        await self.a_while([0, 0, 0.5, 3, 70, 700])
        if gone:
            return replace(NO_ANSWER, outcomes=NO_ANSWER.outcomes * many, began=luck.choice([began, 0.0]))
        if chance < 0.02:
            raise ZeroDivisionError("how odd")
        return Attempt(tuple(luck.choice([DONE, BUSY, NOBODY]) if chance < 0.3 else DONE for _ in range(many)))

    async def a_while(self, choices):
        if seconds := self.luck.choice(choices):
            over = Deferred()
            self.clock.callLater(seconds, over.callback, None)
            await over

    def slowly(self, write):
        """What cannot be written is known all the same to the process that did it (IQueue.record)."""
        async def written(item):
            await self.a_while([0, 0, 0.01, 2])
            if self.bad and self.luck.random() < 0.03:
                self.queue.written[item.trace] = replace(item, fresh=False)
                await fail(OSError(28, "No space left on device"))
            await write(item)

        return lambda item: Deferred.fromCoroutine(written(item))

    def send(self, trace):
        luck, steps = self.luck, []
        for number in range(luck.choice([1, 1, 1, 2, 3, 130])):
            to = f"{trace}.{number}@x.example"
            usual = RelayToSmartHost(to)
            over = HandOver(luck.choice([PEER, OTHER]).id, to)
            steps.append(luck.choice([usual, usual, over, over, Deliver(ROBIN.id, to)]))
        self.recipients[trace] = {step.to for step in steps}
        by, mode = self.clock.seconds() + luck.choice([50, 300]), luck.choice(["", "", "", "N", "R"])
        sender = luck.choice([CHRIS.address, CHRIS.address, NULL_SENDER])
        if sender == NULL_SENDER:
            self.nobodys.add(trace)
        envelope = {"deliver_by": by, "deliver_by_mode": mode} if mode else {}
        send(self.desk, *steps, trace=trace, sender=sender, envelope=envelope)

    def restart(self):
        """As a node does. Fires whatever its hops do."""
        stopped = self.desk.courier.stop()
        closed = Deferred.fromCoroutine(self.desk.dispatch.close())
        pass_time(self.desk, HOUR, 20)
        assert stopped.called and closed.called
        self.relay.closed = False
        put_together(self.desk)
        start(self.desk)

    def fates(self):
        """How often each recipient was reached, and what of each message failed, shunted ones left out."""
        reached, failed = Counter(), []
        for one in self.desk.journal.events:
            if one.args[0] in self.queue.shunted:
                continue
            if one.event == "attempted":
                pairs = zip(one.args[3], one.args[2].outcomes, strict=True)
                reached.update(to for to, outcome in pairs if outcome.kind == "done")
            elif one.event == "delivered":
                reached[one.args[2]] += 1
            elif one.event == "failed":
                failed.append((one.args[0], one.args[1].to))
        return reached, failed


@pytest.mark.parametrize("seed", range(16))
def test_days_of_bad_luck(tmp_path, seed):
    """Nobody is lost, nothing is doubled, each failure is told once, and at the end no place is held anywhere."""
    days = Days(tmp_path / "desk", seed)
    desk = days.desk
    for number in range(days.luck.choice([5, 30])):
        days.send(f"t{number}")
        days.clock.advance(days.luck.choice([0, 0, 0.1, 5, 100]))
    pass_time(desk, HOUR, 17)
    days.restart()
    pass_time(desk, HOUR, 17)
    days.bad = False
    pass_time(desk, 3 * HOUR, 20)
    assert desk.queue.items() == []
    reached, failed = days.fates()
    told = Counter(found for octets, _, _ in desk.spool.reports.values() for found in TOLD.findall(octets))
    assert set(reached.values()) | set(told.values()) == {1}
    for trace, recipients in days.recipients.items():
        assert trace in desk.queue.shunted or recipients <= reached.keys() ^ {to for _, to in failed}
    for trace, to in failed:
        assert trace in desk.badmail.kept if trace in days.nobodys else (to.encode(), b"failed") in told
    assert (desk.courier._runs, desk.courier._parting, desk.dispatch._down) == (0, set(), {})
    assert (desk.destinations._keys_of, desk.destinations._known, desk.destinations._closed) == ({}, {}, set())
