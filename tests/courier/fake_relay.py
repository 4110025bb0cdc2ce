"""A relay that sends to nobody and says what the test wants."""

from collections import Counter, defaultdict, deque
from dataclasses import replace

from twisted.internet.defer import Deferred
from zope.interface import implementer

from unitymail.interfaces.relay import Attempt, IRelay
from unitymail.interfaces.spool import DONE, Outcome
from unitymail.people.location import Location, LocationKind
from unitymail.settings.site import SiteSettings

PEER = Location("l-peer", LocationKind.PEER, "vm2", "vm2.example.com", "192.0.2.2", fingerprint="ab" * 32)
SITE = SiteSettings(smart_host_host="out.example")
NO_ANSWER = Attempt((Outcome("try-again", "4.4.1", "The next server does not answer."),), hop_down=True)
BUSY = Outcome("try-again", "4.3.2", "The next server is busy.", "450 4.3.2 busy", "mx.elsewhere.example")
NOBODY = Outcome("failed", "5.1.1", "Nobody there.", "550 5.1.1 nobody", "mx.elsewhere.example")


@implementer(IRelay)
class FakeRelay:
    """Sends to nobody. `answers` has a list of what comes next by hop key: an Outcome for all recipients, an Attempt
    (its outcomes repeated as needed), a Deferred of one of these, an exception, or a function of (hop, outgoing).

    `always` holds what comes when the list is empty; DONE where it holds nothing. `sent` has (hop key, Outgoing). Who
    comes while `most` are under way waits, and is given back untried when the hop goes down or the relay is closed.
    """

    def __init__(self, most=8, **answers):
        self.most_at_once = most
        self.answers = {key.replace("_", "-"): list(script) for key, script in answers.items()}
        self.always = {}
        self.sent = []
        self.under_way = Counter()
        self.peak = Counter()
        self.waiting = defaultdict(deque)
        self.given_back = []
        self.closed = False

    def most(self, hop):
        return self.most_at_once

    async def send(self, hop, outgoing):
        if self.closed:
            return self.give_back(outgoing)
        if self.under_way[hop.key] >= self.most_at_once:
            turn = Deferred()
            self.waiting[hop.key].append(turn)
            if not await turn:
                return self.give_back(outgoing)
        else:
            self.under_way[hop.key] += 1
        self.sent.append((hop.key, outgoing))
        self.peak[hop.key] = max(self.peak[hop.key], self.under_way[hop.key])
        hop_down = False
        try:
            attempt = await self.attempt(hop, outgoing)
            hop_down = attempt.hop_down
            return attempt
        finally:
            if hop_down:
                self.turn_away(hop.key)
            if self.waiting[hop.key]:
                self.waiting[hop.key].popleft().callback(True)
            else:
                self.under_way[hop.key] -= 1

    async def attempt(self, hop, outgoing):
        script = self.answers.get(hop.key)
        answer = script.pop(0) if script else self.always.get(hop.key, DONE)
        if callable(answer):
            answer = answer(hop, outgoing)
        if isinstance(answer, Deferred):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Outcome):
            answer = Attempt((answer,), remote="mx.elsewhere.example")
        many = len(outgoing.recipients)
        return replace(answer, outcomes=(answer.outcomes * many)[:many])

    def give_back(self, outgoing):
        self.given_back.append(outgoing.trace)

    def turn_away(self, key):
        waiting, self.waiting[key] = self.waiting[key], deque()
        for turn in waiting:
            turn.callback(False)

    async def close(self):
        self.closed = True
        for key in list(self.waiting):
            self.turn_away(key)

    def traces(self, key="smart-host"):
        return [outgoing.trace for hop, outgoing in self.sent if hop == key]
