"""Runs what a client asks for, one command at a time; keeps commands that wait, and tells news between commands.

Knows how a command goes on and ends on its connection: the tagged response, or BYE where there can be none. Refuses to
know framing and time limits (`server`), and how an ending is found (`run`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from unitymail.imap.parking import Parking
from unitymail.imap.registry import Farewell, Gone
from unitymail.imap.run import Ending, go_on, run
from unitymail.imap.wire.assembly import Assembled, Overlong

if TYPE_CHECKING:
    from unitymail.imap.server import IMAPSession

LINE_LIMIT = 12_288
UNKNOWN = "?"
NOTIFYING = "notifying an IMAP client"


class Conductor:
    """While something goes on, or a command waits, `client.inlet` is busy."""

    __slots__ = ("_client", "_parking")

    def __init__(self, client: IMAPSession) -> None:
        self._client = client
        self._parking: Parking | None = None

    @property
    def parked(self) -> bool:
        """Whether a command waits, and nothing goes on."""
        return self._parking is not None

    def begin(self, command: Assembled) -> None:
        """Run it; the one before has ended."""
        self._client.inlet.busy = True
        self._carry_out(self._run(command), f"IMAP {command.name}")

    def wake(self, said: bytes | Overlong | None = None) -> None:
        """Something happened that the parked command waits for, or the client said something to it."""
        parking, self._parking = self._parking, None
        if parking is not None:
            self._client.inlet.listen_no_more()
            self._carry_out(self._go_on(parking, said), f"IMAP {parking.name}")

    def between_commands(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it now, and no command meanwhile. When a command runs, nothing: after it the notifier is asked anyway."""
        if not self._client.ended and not self._client.inlet.busy:
            self._client.inlet.busy = True
            self._carry_out(self._tell(work), NOTIFYING)

    def leave(self) -> None:
        """The connection ends: nothing is left of a command that waits."""
        parking, self._parking = self._parking, None
        if parking is not None:
            parking.command.leave()

    # What goes on

    def _carry_out(self, doing: Awaitable[None], what: str) -> None:
        self._client.door.journal.guard(self._whole(doing, what), what)

    async def _whole(self, doing: Awaitable[None], what: str) -> None:
        """A command, or a part of it, and what comes next."""
        client = self._client
        client.door.turns.begin()
        try:
            await doing
            self._over()
        except Gone:
            client.session.sign_out()
        except Farewell as error:
            client.farewell(error.text, error.code)
        except Exception as error:
            client.door.journal.trouble(what, error)
            client.farewell("Something went wrong here; the administrator's log says what", b"SERVERBUG")

    async def _run(self, command: Assembled) -> None:
        client = self._client
        begun = client.door.clock.seconds()
        await client.session.drained()
        ending = await run(client.session, command)
        if isinstance(ending, Ending):
            self._answer(command.tag, command.name, begun, ending)
        else:
            self._parking = Parking(ending, command.tag, command.name, begun)

    async def _go_on(self, parking: Parking, said: bytes | Overlong | None) -> None:
        try:
            ending = await go_on(self._client.session, parking, said)
        except BaseException:
            parking.command.leave()
            raise
        if isinstance(ending, Ending):
            parking.command.leave()
            self._answer(parking.tag, parking.name, parking.begun, ending)
        else:
            self._parking = parking

    async def _tell(self, work: Callable[[], Awaitable[None]]) -> None:
        """What fails is told after the next command, or at the next ring."""
        try:
            await work()
        except (Farewell, Gone):
            raise
        except Exception as error:
            self._client.door.journal.trouble(NOTIFYING, error)
        self._client.inlet.over()

    # How it ends

    def _answer(self, tag: bytes, name: str, begun: float, ending: Ending) -> None:
        client = self._client
        client.outlet.write(ending.octets(tag))
        verb = name if name in client.door.registry.commands else UNKNOWN
        client.meter.answered(verb, ending.status, client.door.clock.seconds() - begun, client.outlet.octets)
        client.inlet.over()
        if ending.after is not None:
            ending.after()
        if ending.farewell:
            client.farewell(ending.farewell)
        client.count(ending.status)

    def _over(self) -> None:
        """A command has its answer or waits, or the client has its notifications: go on."""
        client = self._client
        if client.outlet.gone:
            client.session.sign_out()
        if client.door.draining:
            client.take_leave()
        if self._parking is not None:
            self._park(self._parking)
        elif client.session.notifier is not None and not client.ended:
            client.session.notifier.follow()
        client.door.turns.end()
        client.advance()

    def _park(self, parking: Parking) -> None:
        if self._client.ended:
            self.leave()
            return
        self._client.inlet.listen(self.next_line, self.wake)
        if parking.command.woken:
            self.wake()

    def next_line(self) -> bytes | Overlong | None:
        """What the client says outside any command, if it has said it."""
        return self._client.inlet.assembler.next_line(LINE_LIMIT)
