"""A courier for tests: a real spool on a real disk, a relay that says what the test wants, a clock of ours."""

from collections.abc import Callable

from zope.interface import implementer

from tests.courier.fake_relay import PEER, SITE, FakeRelay
from tests.fakes import CHRIS, ROBIN, TERRY, FakeBook
from tests.spool.room import HOST, a_spool
from unitymail.courier.courier import AT_ONCE, Courier
from unitymail.courier.deciding import Decider
from unitymail.courier.destinations import Destinations
from unitymail.courier.dispatch import Dispatch
from unitymail.courier.perform import find_performers
from unitymail.interfaces.spool import DONE, IStepPerformer
from unitymail.routing.steps import RelayToSmartHost
from unitymail.spool.badmail import BadMailFolder
from unitymail.spool.desk import QueueDesk


@implementer(IStepPerformer)
class ScriptedRelay:
    """Answers each step with the next of `script`: an Outcome, an exception, a function or a Deferred."""

    performs = RelayToSmartHost

    def __init__(self, *script):
        self.script = list(script)
        self.asked = []

    async def perform(self, item, state):
        self.asked.append((item.trace, state.step.to, state.attempts))
        answer = self.script.pop(0) if self.script else DONE
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Callable):
            return answer(item, state)
        return await answer if hasattr(answer, "addCallback") else answer


def a_courier(root, *, book=None, performer=None, relay=None, room=None, at_once=AT_ONCE, **facts):
    """`a_spool` with a courier that has started; `performer` in the place of the one for the smart host."""
    room = room or a_spool(root, **facts)
    room.book = book or FakeBook(ROBIN, CHRIS, TERRY, PEER, site=SITE)
    room.decider = Decider(room.book, room.usage, HOST)
    room.badmail = BadMailFolder(room.places.root, disk=room.disk, now=room.clock.seconds)
    room.relay = relay or FakeRelay()
    room.destinations = Destinations()
    room.dispatch = Dispatch(
        relay=room.relay, destinations=room.destinations, book=room.book, journal=room.journal, clock=room.clock
    )
    room.performers = find_performers(
        store=room.store, spool=room.spool, badmail=room.badmail, book=room.book, usage=room.usage,
        doorbell=room.doorbell, journal=room.journal, threads=room.threads, decider=room.decider,
        clock=room.clock, dispatch=room.dispatch, node_id="n1",
    )
    if performer is not None:
        room.performers.put(performer)
    room.courier = Courier(
        queue=room.spool.queue, performers=room.performers, destinations=room.destinations, threads=room.threads,
        book=room.book, journal=room.journal, clock=room.clock, decide=room.decider.decide_item, at_once=at_once,
    )
    room.spool.recover()
    room.courier.start()
    return room


def waiting_items(room):
    """What waits, as an administrator sees it once young items have their files."""
    pass_time(room, 2, 0.5)
    return list(QueueDesk(room.places.root, disk=room.disk, now=room.clock.seconds, who="test").items())


def pass_time(room, seconds, step=30.0):
    """Let the clock run in steps, so that each timer finds its own moment."""
    while seconds > 0:
        room.clock.advance(min(step, seconds))
        seconds -= step
