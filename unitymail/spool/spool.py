"""The spool: receiving, committing, waiting. Puts the room together and keeps what it promises to doors and courier.

Knows when records are retired and who hears of a new message; refuses to know what a message should become.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.doorbell import IDoorbell, NewItem
from unitymail.interfaces.errors import SHUTTING_DOWN, Trouble, TryAgain
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.spool import MAX_HEAD, IIncoming, ISpool, Item, StepState
from unitymail.interfaces.store import IStore
from unitymail.interfaces.threads import IThreads
from unitymail.mail.address import key_of
from unitymail.mail.envelope import Envelope
from unitymail.mail.message import Importance
from unitymail.mail.trace import received_field
from unitymail.routing.decision import Decision
from unitymail.routing.hops import waits_for
from unitymail.routing.steps import Deliver
from unitymail.spool.answers import Answers
from unitymail.spool.batch import Batches
from unitymail.spool.commit import Committer
from unitymail.spool.flushers import Flushers
from unitymail.spool.in_hand import InHand
from unitymail.spool.index import level_of
from unitymail.spool.inheriting import Inheriting
from unitymail.spool.intake import Incoming
from unitymail.spool.items import Items, wakes_at
from unitymail.spool.journal_file import CommitJournal
from unitymail.spool.leaving import Leaving
from unitymail.spool.nudges import Nudge, Nudges
from unitymail.spool.places import Places, is_trace, maildir_name, parent_of
from unitymail.spool.queue import Queue
from unitymail.spool.recovery import Recovery
from unitymail.spool.remover import Remover
from unitymail.spool.retire import Retirement
from unitymail.spool.trouble import try_again
from unitymail.spool.under_way import Finishing
from unitymail.spool.xids import Xids

INBOX = "INBOX"
FLUSHERS = 4
GATHER_S = 0.005
RETIRE_AFTER_S = 0.5
RETIRE_AT = 2_000
REMEMBERED = 10_000
RETRY_FOR_S = 2 * 24 * 3600.0
PRIORITIES = {Importance.HIGH: 1, Importance.LOW: -1}
"""Of messages whose envelope asks for none (RFC 6710)."""


@implementer(ISpool)
class Spool:
    """`root` is DIR/spool; what is missing in it is created. Call `recover` before anything else, `stop` at the end.

    `queue` is the courier's side of it. With `flushers=0` the disk is called by one thread at a time. For `gather_s`
    the ends of items are gathered for one note. `helped`: a process may remove files, and `clock` is the real reactor.
    `retry_for` says for how many seconds a peer may send a message again.

    Where several processes of a node share `root`, one has the courier: all are `shared`, and the others are given
    `hand_over`, which tells that one of the items they make. They do not `recover`: the courier's does so, when nobody
    else works yet, and `recover_from` each of them that ended.
    """

    def __init__(
        self, root: str, *, disk: IDisk, threads: IThreads, store: IStore, doorbell: IDoorbell, journal: IJournal,
        clock: Any, host: str, usage: IUsage, flushers: int = FLUSHERS, gather_s: float = GATHER_S,
        helped: bool = True, retry_for: Callable[[], float] = lambda: RETRY_FOR_S, shared: bool = False,
        hand_over: Callable[[Sequence[NewItem]], None] | None = None,
    ) -> None:
        self._places = Places(root)
        self._places.make(disk)
        self._disk = disk
        self._threads = threads
        self._store = store
        self._doorbell = doorbell
        self._journal = journal
        self._clock = clock
        self._host = host
        self._usage = usage
        self._items = Items(self._places, disk)
        self._owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._hand_over = hand_over
        self._xids = Xids(
            root, disk=disk, now=clock.seconds, retry_for=retry_for, journal=journal, owner=self._owner,
            shared=shared or hand_over is not None,
        )
        self._in_hand = InHand(self._items)
        self._commits = CommitJournal(self._places.journal, self._owner, disk)
        self._retirement = Retirement(
            places=self._places, disk=disk, store=store, items=self._items, in_hand=self._in_hand, xids=self._xids,
            commits=self._commits, journal=journal, made=self._made_late,
        )
        self._telling = Answers(clock)
        self._flushers = Flushers(flushers)
        remover = None
        if helped and hand_over is None:
            remover = Remover(self._places.items, reactor=clock, threads=threads, journal=journal)
        self._leaving = Leaving(threads=threads, in_hand=self._in_hand, journal=journal, remover=remover)
        answers = Answers(clock)
        batches = Batches(
            places=self._places, disk=disk, store=store, in_hand=self._in_hand, xids=self._xids,
            commits=self._commits, retirement=self._retirement, journal=journal, flushers=self._flushers,
            leaving=self._leaving,
        )
        self._committer = Committer(
            batches=batches, threads=threads, ended=self._ended, answers=answers, leaving=self._leaving,
            retire_soon=self._retire_soon, clock=clock, gather_s=gather_s,
        )
        self.queue = Queue(
            places=self._places, items=self._items, in_hand=self._in_hand, threads=threads, now=clock.seconds,
            note=self._committer.note, answers=answers, nudges=Nudges(self._places.nudges, disk), nudged=self._nudged,
            owner=self._owner,
        )
        self._inheriting = Inheriting(
            recovery=self._recovery, queue=self.queue, threads=threads, clock=clock, journal=journal
        )
        self._finishing: dict[str, Finishing] = {}
        self._transactions: dict[str, Finishing] = {}
        self._committed: OrderedDict[str, None] = OrderedDict()
        self._late: list[Item] = []
        self._retire_call: Any = None
        self._retiring: Deferred[None] | None = None
        self._stopping = False

    def recover(self) -> Deferred[None]:
        """Finish what crashed processes left, and learn what waits. Fires when the doors may open."""
        done: Any = self._threads.run(self._recover)
        return done.addCallback(self._tell_recovered)

    def recover_from(self, pid: int) -> Deferred[None]:
        """Finish what another process of the node left, which has ended in any way, while this and others work on."""
        return self._inheriting.take_over(pid)

    def _recover(self) -> tuple[list[tuple[str, int]], set[str]]:
        recovery = self._recovery()
        done = recovery.run()
        if waiting := self.queue.look():
            done["items in the queue"] = waiting
        return list(done.items()), recovery.later

    def _recovery(self) -> Recovery:
        return Recovery(
            places=self._places, disk=self._disk, store=self._store, items=self._items, xids=self._xids,
            owner=self._owner, now=self._clock.seconds, trouble=self._journal.trouble,
        )

    def _tell_recovered(self, found: tuple[list[tuple[str, int]], set[str]]) -> None:
        done, later = found
        for what, count in done:
            self._journal.recovered(what, count)
        self._inheriting.expect(later)

    def receive(self, trace: str, arrived: float | None = None) -> Incoming:
        if not is_trace(trace):
            raise ValueError(f"{trace!r} cannot be a trace")
        return Incoming(trace, os.path.join(self._places.intake, f"{trace}.{self._owner}"), self._disk, arrived)

    def commit(
        self, incoming: IIncoming, envelope: Envelope, decision: Decision, head: bytes, *, xid: str = ""
    ) -> Deferred[None]:
        if len(head) > MAX_HEAD:
            raise ValueError(f"a header block of {len(head)} octets")
        if self._stopping:
            incoming.abandon()
            return fail(TryAgain(SHUTTING_DOWN))
        if not decision.steps and not xid:
            incoming.abandon()
            return succeed(None)
        if (earlier := self._known(incoming.trace)) is not None:
            incoming.abandon()
            return earlier
        assert isinstance(incoming, Incoming)
        file, arrived = incoming, self._clock.seconds() if incoming.arrived is None else incoming.arrived
        recipients = frozenset(key_of(recipient.address) for recipient in envelope.recipients) if xid else frozenset()
        message = Finishing(
            file, head, lambda: self._describe(file, envelope, decision, arrived, head, xid), xid, recipients
        )
        self._finishing[incoming.trace] = message
        answer = message.answer()
        self._begin(message)
        return answer

    def _begin(self, message: Finishing) -> None:
        """One at a time of those that a peer calls by the same name: the next one sees what became of it."""
        if message.xid:
            if (running := self._transactions.get(message.xid)) is not None:
                running.answer().addBoth(lambda _: self._begin(message))
                return
            self._transactions[message.xid] = message
        if message.incoming.in_memory():
            self._committer.submit(message)
        else:
            self._committer.settle_first(message)

    def known_recipients(self, xid: str, addresses: Collection[str]) -> Deferred[set[str]]:
        return Deferred.fromCoroutine(self._known_recipients(xid, {key_of(address): address for address in addresses}))

    async def _known_recipients(self, xid: str, addresses: dict[str, str]) -> set[str]:
        while (running := self._transactions.get(xid)) is not None:
            with suppress(Trouble):
                await running.answer()
        asking: Any = self._threads.run(self._xids.known, xid, addresses.keys())
        try:
            known = await asking
        except (OSError, sqlite3.Error) as error:
            self._journal.trouble(f"looking up the transaction {xid}", error)
            raise try_again(error) from error
        return {addresses[key] for key in known}

    def _known(self, trace: str) -> Deferred[None] | None:
        """What to answer for a trace that is being committed or was committed before."""
        earlier = self._finishing.get(trace)
        if earlier is not None:
            return earlier.answer()
        if trace in self._committed or (parent_of(trace) and trace in self.queue):
            return succeed(None)
        return None

    def _describe(
        self, file: Incoming, envelope: Envelope, decision: Decision, arrived: float, head: bytes, xid: str
    ) -> Item:
        message = decision.message
        released = envelope.hold_until
        next_at = released if released is not None and released > arrived else 0.0
        return Item(
            trace=file.trace,
            path=file.path,
            arrived=arrived,
            envelope=envelope,
            category=message.category.value,
            sensitivity=message.sensitivity.value,
            secure=decision.secure,
            subject=message.subject,
            message_id=message.message_id,
            origin_user=decision.sender.matched,
            size=file.total,
            head=file.head,
            steps=tuple(StepState(step, next_at=next_at) for step in decision.steps),
            priority=envelope.priority or PRIORITIES.get(message.importance, 0),
            name=maildir_name(file.trace, arrived, self._host, file.total, asks_receipt=message.asks_receipt),
            sha256=file.sha256(),
            intake=os.path.basename(file.path),
            silent=decision.sender.kind == "unknown",
            malformed=message.malformed,
            received=b"" if all(type(step) is Deliver for step in decision.steps) else received_field(head),
            xid=xid,
        )

    # after the durable point (reactor thread)

    def _ended(self, message: Finishing) -> None:
        del self._finishing[message.incoming.trace]
        if message.xid:
            del self._transactions[message.xid]
        if message.committed is not None:
            self._announce(message, message.committed.item)

    def _announce(self, message: Finishing, item: Item) -> None:
        self._remember(item.trace)
        for step in message.delivered:
            self._usage.add(step.account, item.size)
            self._journal.delivered(item.trace, step.account, step.to)
            self._doorbell.ring(step.account, INBOX)
        if message.fresh is not None:
            self._waits(message.fresh)

    def _waits(self, item: Item) -> None:
        if self._hand_over is None:
            self.queue.added(item)
            return
        hop = waits_for(state.step for state in item.steps)
        self._hand_over([NewItem(item.trace, wakes_at(item), level_of(item.priority), hop)])

    def _nudged(self, nudge: Nudge) -> None:
        """What was done to 20,000 items is told over many turns."""
        if nudge.who:
            told = self._journal.administered
            self._telling.give(partial(told, trace, nudge.who, nudge.what) for trace in nudge.traces)

    def _remember(self, trace: str) -> None:
        self._committed[trace] = None
        if len(self._committed) > REMEMBERED:
            self._committed.popitem(last=False)

    # retirement

    def _retire_soon(self) -> None:
        if self._stopping or not self._commits.unretired():
            return  # `stop` retires at the end
        if self._retiring is None and self._commits.unretired() >= RETIRE_AT:
            self._retire()
        elif self._retire_call is None and self._retiring is None:
            self._retire_call = self._clock.callLater(RETIRE_AFTER_S, self._retire)

    def _retire(self) -> None:
        if self._retire_call is not None and self._retire_call.active():
            self._retire_call.cancel()
        self._retire_call = None
        self._retiring = Deferred()
        running: Any = self._threads.run(self._retirement.run)
        running.addCallback(self._retired)

    def _retired(self, _: None) -> None:
        late, self._late = self._late, []
        for item in late:
            self._waits(item)
        done, self._retiring = self._retiring, None
        self._retire_soon()
        if done is not None:
            done.callback(None)

    def _made_late(self, item: Item) -> None:
        self._late.append(item)

    def stop(self) -> Deferred[None]:
        """Take no more, finish what is finishing, retire what can be; fires when the disk is left alone."""
        self._stopping = True
        if self._retire_call is not None and self._retire_call.active():
            self._retire_call.cancel()
        self._retire_call = None
        left = self._inheriting.stop().addCallback(lambda _: self._committer.when_idle())
        left.addCallback(lambda _: self._leaving.stop())
        return left.addCallback(self._when_retired).addCallback(self._close)

    def _when_retired(self, _: None) -> Deferred[None]:
        if self._retiring is not None:
            waiter: Deferred[None] = Deferred()
            self._retiring.addCallback(lambda _: waiter.callback(None))
            return waiter
        return succeed(None)

    def _close(self, _: None) -> Deferred[None]:
        done: Any = self._threads.run(self._finish_up)
        return done

    def _finish_up(self) -> None:
        self._retirement.run()
        self._commits.close()
        self._xids.close()
        self._flushers.stop()
