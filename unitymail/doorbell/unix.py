"""The doorbell between processes: a UNIX socket of this process, and connections to those of the others.

Knows who is there and passes words on; refuses to know what a ring is about. A ring is a hint: what cannot be told
now is dropped, and whoever needed it finds out by looking.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver
from zope.interface import implementer

from unitymail.doorbell import sockets
from unitymail.doorbell.ears import Ears, OwnEars
from unitymail.doorbell.local import LocalDoorbell
from unitymail.doorbell.neighbours import Neighbours
from unitymail.doorbell.words import (
    ITEMS_A_LINE,
    MAX_LINE,
    Ask,
    Count,
    DirectoryChanged,
    NewItems,
    Ring,
    Rings,
    Taken,
    Told,
    lines_of,
    spoken,
    understood,
)
from unitymail.interfaces.doorbell import IDoorbell, NewItem
from unitymail.interfaces.journal import IJournal


@implementer(IDoorbell)
class Doorbell:
    """Rings here at once, and with the next turn of the reactor in the other processes where somebody listens.

    `take(usn)` fires with the USN that this process holds once it has looked (see `directory.watch.Watcher.take`).
    `courier` is the id of the process that works on what `hand_over` is given; there nobody listens to rings.
    """

    def __init__(
        self, run: str, *, reactor: Any, journal: IJournal, take: Callable[[int], Awaitable[int]] | None = None,
        courier: int = 0,
    ) -> None:
        self._run = run
        self._reactor = reactor
        self._journal = journal
        self._take = take
        self._local = LocalDoorbell(journal)
        self._neighbours = Neighbours(run, reactor)
        self._ears = OwnEars()
        self._port: Any = None
        self._paths = ExitStack()
        self._untold: dict[tuple[str, str], None] = {}
        self._courier = courier
        self._handed: list[NewItem] = []
        self._heard_items: Callable[[Sequence[NewItem]], None] = lambda items: None
        self._asked: Callable[[], None] = lambda: None
        self._counts: Callable[[str], None] = lambda account: None

    def start(self) -> None:
        """Open the socket; raises OSError where that is impossible."""
        os.makedirs(self._run, mode=0o700, exist_ok=True)
        sockets.remove_dead(self._run)
        path = os.path.join(self._run, sockets.name_of(os.getpid()))
        with suppress(FileNotFoundError):
            os.unlink(path)
        self._ears.open(os.path.join(self._run, sockets.ears_of(os.getpid())))
        short = self._paths.enter_context(sockets.reachable(path))
        factory = Factory.forProtocol(lambda: _Visitor(self))
        factory.noisy = False
        self._port = self._reactor.listenUNIX(short, factory, mode=0o600)

    def stop(self) -> Deferred[None]:
        """Close the socket and leave no name behind."""
        self._neighbours.close()
        self._ears.close()
        port, self._port = self._port, None
        closed = maybeDeferred(port.stopListening) if port is not None else maybeDeferred(lambda: None)
        return closed.addCallback(lambda _: self._paths.close())

    def ring(self, account: str, folder: str) -> None:
        self._local.ring(account, folder)
        if not self._untold:
            self._reactor.callLater(0, self._tell)
        self._untold[account, folder] = None

    def hand_over(self, items: Sequence[NewItem]) -> None:
        """Tell the courier's process of new items, with the next turn of the reactor. A hint as well."""
        if not self._handed:
            self._reactor.callLater(0, self._tell_courier)
        self._handed += items

    def on_items(self, heard: Callable[[Sequence[NewItem]], None]) -> None:
        """Call `heard` with the new items that other processes hand over to this one."""
        self._heard_items = heard

    def on_ask(self, asked: Callable[[], None]) -> None:
        """Call `asked` when somebody wants to know how the node stands."""
        self._asked = asked

    def on_count(self, counts: Callable[[str], None]) -> None:
        """Call `counts` with an account that a program beside the node has filled; in one process of the node."""
        self._counts = counts

    def listen(self, account: str, heard: Callable[[str], None]) -> Callable[[], None]:
        forget = self._local.listen(account, heard)
        self._ears.listen(account)
        over = False

        def stop() -> None:
            nonlocal over
            if not over:
                over = True
                self._ears.forget(account)
                forget()

        return stop

    def _tell(self) -> None:
        rings, self._untold = self._untold, {}

        def words(ears: Ears) -> bytes:
            return lines_of(place for place in rings if ears.hear(place[0]))

        self._neighbours.tell(words, but=self._courier)

    def _tell_courier(self) -> None:
        items, self._handed = self._handed, []
        parts = (items[start : start + ITEMS_A_LINE] for start in range(0, len(items), ITEMS_A_LINE))
        self._neighbours.tell_one(self._courier, b"".join(spoken(NewItems(tuple(part))) for part in parts))

    def heard(self, line: bytes, answer: Callable[[bytes], None]) -> None:
        """A word from another process. What this version does not know is left alone."""
        match understood(line):
            case Rings(places):
                for account, folder in places:
                    self._local.ring(account, folder)
            case Ring(account, folder):
                self._local.ring(account, folder)
            case NewItems(items):
                self._heard_items(items)
            case DirectoryChanged(usn):
                self._journal.guard(self._answer(usn, answer), "the doorbell")
            case Count(account):
                self._counts(account)
            case Ask():
                self._tell_how_it_stands(answer)

    async def _answer(self, usn: int, answer: Callable[[bytes], None]) -> None:
        answer(spoken(Taken(await self._take(usn) if self._take is not None else 0)))

    def _tell_how_it_stands(self, answer: Callable[[bytes], None]) -> None:
        try:
            self._asked()
        except Exception as error:
            self._journal.trouble("telling how the node stands", error)
        answer(spoken(Told()))


class _Visitor(LineOnlyReceiver):
    """Another process at our bell."""

    delimiter = b"\n"
    MAX_LENGTH = MAX_LINE

    def __init__(self, bell: Doorbell) -> None:
        self._bell = bell

    def lineReceived(self, line: bytes) -> None:
        self._bell.heard(line, self._answer)

    def _answer(self, data: bytes) -> None:
        if self.connected and self.transport is not None:
            self.transport.write(data)
