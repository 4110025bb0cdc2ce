"""A spool in memory, whose commits a test may hold back, fail, and look at."""

from contextlib import contextmanager
from types import SimpleNamespace

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.spool import IIncoming, ISpool


@implementer(IIncoming)
class FakeIncoming:
    def __init__(self, spool, trace):
        self._spool = spool
        self._blocks = []
        self.trace = trace
        self.size = 0
        self.abandoned = 0

    def write(self, block):
        if self._spool.write_error is not None:
            raise self._spool.write_error
        self._blocks.append(block)
        self.size += len(block)

    @contextmanager
    def content(self):
        self._spool.opened += 1
        yield b"".join(self._blocks)

    def in_memory(self):
        return self.size <= self._spool.memory_limit

    def abandon(self):
        self.abandoned += 1
        self._blocks.clear()
        self._spool.held.discard(self)


@implementer(ISpool)
class FakeSpool:
    """`committed` lists what became durable. With `hold` each commit waits for `release`.

    `held` is what would be on disk: messages neither committed nor abandoned. `known` maps the XID of a peer's
    transaction to the recipients who have its message; asking for them fails with `known_error`.
    """

    def __init__(self, memory_limit=65_536):
        self.memory_limit = memory_limit
        self.committed = []
        self.held = set()
        self.hold = False
        self.waiting = []
        self.write_error = self.receive_error = self.commit_error = None
        self.opened = 0
        self.known = {}
        self.known_error = None

    async def known_recipients(self, xid, addresses):
        if self.known_error is not None:
            raise self.known_error
        return set(addresses) & self.known.get(xid, set())

    def receive(self, trace):
        if self.receive_error is not None:
            raise self.receive_error
        incoming = FakeIncoming(self, trace)
        self.held.add(incoming)
        return incoming

    def commit(self, incoming, envelope, decision, head, *, xid=""):
        if self.commit_error is not None:
            self.held.discard(incoming)
            return fail(self.commit_error)
        if not self.hold:
            self._keep(incoming, envelope, decision, head, xid)
            return succeed(None)
        done = Deferred()
        self.waiting.append((done, incoming, envelope, decision, head, xid))
        return done

    def release(self, error=None):
        """Finish the oldest commit that waits."""
        done, *commit = self.waiting.pop(0)
        if error is not None:
            self.held.discard(commit[0])
            done.errback(error)
            return
        try:
            self._keep(*commit)
        except TryAgain as again:
            done.errback(again)
        else:
            done.callback(None)

    def _keep(self, incoming, envelope, decision, head, xid):
        self.held.discard(incoming)
        if xid:
            addresses = {recipient.address for recipient in envelope.recipients}
            known = self.known.setdefault(xid, set())
            if addresses <= known:
                return
            if addresses & known:
                raise TryAgain
            known |= addresses
        with incoming.content() as octets:
            self.committed.append(
                SimpleNamespace(
                    trace=incoming.trace, octets=octets, envelope=envelope, decision=decision, head=head, xid=xid
                )
            )
