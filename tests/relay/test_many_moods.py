"""Whatever servers, disks, connections and senders do in whatever order: each message has one end, and it is true."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.fakes import HeldThreads
from tests.relay.moods import Moods, Server
from tests.relay.play import HOP, PEER, TOLD, Play, letter
from unitymail.relay.connecting import CannotConnect
from unitymail.relay.pool import Pool
from unitymail.relay.trouble import Trouble

DOWN = CannotConnect(Trouble("4.4.1", "It cannot be reached."))
STEPS = 3_000
LINES = (b"x" * 98 + b"\r\n") * 700


class House:
    """A pool, its senders, and the hop: `step` lets one of them do something. The hop knows peers' messages by name."""

    def __init__(self, seed, folder):
        self.chance = random.Random(seed)
        self.folder = folder
        self.moods = Moods(self.chance)
        self.clock, self.threads = Clock(), HeldThreads()
        self.hop = PEER if self.chance.random() < 0.3 else HOP
        self.limit = self.chance.choice([1, 1, 2, 4])
        self.limits = self.chance.choice([[], [], ["LIMITS MAILMAX=3"], ["LIMITS MAILMAX=2 RCPTMAX=1"]])
        self.pool = Pool(self.hop, connector=self, limit=lambda: self.limit, clock=self.clock, threads=self.threads)
        self.plays, self.knocking, self.opened = [], [], 0
        self.messages, self.under_way = {}, set()
        self.arrived, self.may_have_arrived = Counter(), Counter()
        self.failures = []
        self.budget = 30
        self.closed = None

    # Senders.

    def send_new(self):
        number = len(self.messages)
        octets = b"Subject: %d\r\n\r\n.hi\r\n" % number + LINES * self.chance.choice([0, 0, 0, 1, 4])
        to = [f"{each}-{number}@example.net" for each in range(self.chance.choice([1, 1, 3]))]
        told = TOLD if self.hop.is_peer else None
        outgoing = letter(self.folder, octets, to=to, sender=f"{number}@vm1.example.com", told=told)
        if self.chance.random() < 0.03:
            outgoing = replace(outgoing, path=outgoing.path + "-gone")
        self.messages[number] = octets
        self.send(number, outgoing)

    def send(self, number, outgoing):
        assert number not in self.under_way
        self.under_way.add(number)
        self.pool.send(outgoing).addBoth(self.over, number, outgoing).addErrback(self.failures.append)

    def over(self, attempt, number, outgoing):
        self.under_way.remove(number)
        if isinstance(attempt, Failure):
            assert attempt.check(FileNotFoundError) and outgoing.path.endswith("-gone")
        elif attempt is not None:
            left = tuple(self.left(attempt, outgoing))
            if left and self.wants_more():
                self.send(number, replace(outgoing, recipients=left))
        if self.wants_more():
            self.send_new()

    def left(self, attempt, outgoing):
        """Those to whom it is to be sent again; each outcome must be true."""
        for outcome, recipient in zip(attempt.outcomes, outgoing.recipients, strict=True):
            address = recipient.address
            self.may_have_arrived[address] += attempt.sent_dot
            assert not outcome.diagnostic.startswith(("503", "554 5.5.0")), "that is no fault of the message"
            if outcome.kind == "done":
                assert self.arrived[address] >= 1, address
            else:
                assert self.arrived[address] <= self.may_have_arrived[address] or self.hop.is_peer, (address, outcome)
            if outcome.kind in ("try-again", "later"):
                yield recipient

    def wants_more(self):
        self.budget -= 1
        return self.closed is None and self.budget > 0 and self.chance.random() < 0.5

    # The hop.

    async def open(self, hop, made, ended):
        self.opened += 1
        if self.chance.random() < 0.5:
            self.knocking.append(Deferred())
            await self.knocking[-1]
        if self.chance.random() < 0.15:
            raise DOWN
        play = Play(HOP, threads=self.threads)
        play.client._deadline._clock = self.clock
        play.client._deadline.end()
        play.client._ended = ended
        play.client.hop = hop
        made(play.client)
        play.server = Server(self.moods, self.take)
        self.plays.append(play)
        play.greet(*self.moods.extensions, *self.limits, "XUNITYMAIL")
        return play.client

    def take(self, sender, recipients, octets):
        number = int(sender.partition("@")[0])
        assert octets == self.messages[number]
        assert {each.partition("-")[2] for each in recipients} == {f"{number}@example.net"}
        if self.hop.is_peer:
            recipients = [each for each in recipients if not self.arrived[each]]
        self.arrived.update(recipients)

    def serve(self, play):
        """What the client said reaches the server, and some of its answers the client."""
        server, wire = play.server, play.wire
        if wire.disconnecting:
            return play.lose(Failure(ConnectionLost()))
        server.feed(wire.value())
        wire.clear()
        if server.out:
            cut = self.chance.choice([len(server.out), self.chance.randint(1, len(server.out))])
            heard, server.out = server.out[:cut], server.out[cut:]
            play.client.dataReceived(heard)
        elif server.ends:
            return play.lose(Failure(ConnectionLost()))
        if wire.producer is not None:
            wire.producer.resumeProducing()
        return None

    # Chance.

    def step(self):
        act, *arguments = self.chance.choice([
            (self.clock.advance, self.chance.choice([0, 0, 0, 0.1, 1] if self.closed else [0, 0, 0, 1, 7])),
            *((self.serve, play) for play in self.plays if not play.client._lost),
            *([(self.threads.step,)] if self.threads.waiting else []),
            *([(self.let_in,)] if self.knocking else []),
            *([(self.send_new,)] if self.chance.random() < 0.05 and self.wants_more() else []),
            *([(self.change_limit,)] if self.chance.random() < 0.02 else []),
        ])  # fmt: skip
        act(*arguments)

    def let_in(self):
        door = self.knocking.pop(self.chance.randrange(len(self.knocking)))
        if not door.called:
            door.callback(None)

    def change_limit(self):
        self.limit = self.chance.choice([1, 2, 3])

    def close(self):
        self.closed = []
        self.pool.close().addCallback(self.closed.append)


@pytest.mark.parametrize("first", range(0, 160, 20))
def test_nothing_lost_and_nothing_doubled(tmp_path, first):
    """Nobody is told a thing that is not so, none is told twice or never, and the end comes and leaves nothing."""
    for seed in range(first, first + 20):
        (folder := tmp_path / str(seed)).mkdir()
        house = House(seed, folder)
        for _ in range(house.chance.choice([1, 3, 10])):
            house.send_new()
        for _ in range(house.chance.choice([50, 300, STEPS])):
            house.step()
        house.close()
        for _ in range(STEPS):
            if not house.closed:
                house.step()
        assert house.closed == [None], seed
        assert house.failures == [] and house.under_way == set(), seed
        assert all(count <= 1 + house.may_have_arrived[address] for address, count in house.arrived.items()), seed
        assert house.clock.getDelayedCalls() == [] and house.opened < 200, seed
