"""A relay that sends to nobody and says what the test wants."""

from collections import Counter
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

    `always` holds what comes when the list is empty; DONE where it holds nothing. `sent` has (hop key, Outgoing).
    """

    def __init__(self, most=8, **answers):
        self.most_at_once = most
        self.answers = {key.replace("_", "-"): list(script) for key, script in answers.items()}
        self.always = {}
        self.sent = []
        self.under_way = Counter()
        self.peak = Counter()

    def most(self, hop):
        return self.most_at_once

    async def send(self, hop, outgoing):
        self.sent.append((hop.key, outgoing))
        self.under_way[hop.key] += 1
        self.peak[hop.key] = max(self.peak[hop.key], self.under_way[hop.key])
        try:
            script = self.answers.get(hop.key)
            answer = script.pop(0) if script else self.always.get(hop.key, DONE)
            if callable(answer):
                answer = answer(hop, outgoing)
            if isinstance(answer, Deferred):
                answer = await answer
        finally:
            self.under_way[hop.key] -= 1
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Outcome):
            answer = Attempt((answer,), remote="mx.elsewhere.example")
        many = len(outgoing.recipients)
        return replace(answer, outcomes=(answer.outcomes * many)[:many])

    async def close(self):
        pass

    def traces(self, key="smart-host"):
        return [outgoing.trace for hop, outgoing in self.sent if hop == key]
