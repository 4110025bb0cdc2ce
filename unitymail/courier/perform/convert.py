"""Convert: one message for all recipients of an item at one VPIM location, converted and sent to it.

Knows what a conversion and the location's answer mean; refuses to know how it is converted (`vpim_form`) and when a
hop may be used (`dispatch`: nothing is converted for one that is down).

Note *Reports pass*. A delivery report or read receipt is not wrapped: VPIM carries multipart/report as it is
(RFC 3801 4.4.5).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from zope.interface import implementer

from unitymail.courier.deciding import Decider
from unitymail.courier.dispatch import Dispatch
from unitymail.courier.forwarding import outgoing, read_received
from unitymail.courier.learning import gone_there
from unitymail.courier.recipients import Recipients
from unitymail.courier.scratch import tried_again
from unitymail.courier.vpim_form import VpimForm, VpimMessage
from unitymail.interfaces.book import IBook
from unitymail.interfaces.codec import CannotDecode, ICodec, TooLong
from unitymail.interfaces.directory import IDirectory
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import IManyStepsPerformer, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.mail.message import Category
from unitymail.mail.vpim.selection import Refused
from unitymail.people.location import Location
from unitymail.policy.secure import vpim_gate
from unitymail.routing.destination import VOICE_ONLY
from unitymail.routing.hops.vpim import GONE
from unitymail.routing.next_hop import NextHop
from unitymail.routing.steps import Convert

RECIPIENTS = 100
"""In one transaction: what every server must take (RFC 5321 4.5.3.1.8)."""
REMOVED = "2.6.4"
NAMED = 5
"""Of what was left out so much is named."""


@implementer(IManyStepsPerformer)
class ConvertPerformer:
    performs = Convert
    together = RECIPIENTS

    def __init__(
        self, *, dispatch: Dispatch, book: IBook, directory: IDirectory, codec: ICodec, decider: Decider,
        journal: IJournal, threads: IThreads, audio_threads: IThreads,
    ) -> None:
        self._dispatch = dispatch
        self._book = book
        self._directory = directory
        self._form = VpimForm(codec=codec, book=book, directory=directory, host=decider.host)
        self._journal = journal
        self._threads = threads
        self._audio_threads = audio_threads
        self._recipients = Recipients(threads)

    def group(self, step: Convert) -> Hashable:
        return ("convert", step.location)

    async def perform(self, item: Item, state: StepState) -> Outcome:
        return (await self.perform_many(item, [state]))[0]

    async def perform_many(self, item: Item, states: Sequence[StepState]) -> list[Outcome]:
        steps = [_step(state) for state in states]
        location = self._book.location(steps[0].location)
        if location is None:
            return [Outcome("failed", GONE.status, GONE.cause)] * len(steps)
        hop = self._dispatch.way(item, steps[0])
        if isinstance(hop, Outcome):
            return [hop] * len(steps)
        removed: tuple[str, ...] = ()
        if item.category == Category.RECEIPT.value:
            outcomes = await self._send_as_it_is(hop, item, steps)
        else:
            made = await self._converted(item, steps, location, first=not any(state.attempts for state in states))
            if isinstance(made, Outcome):
                self._dispatch.left(hop, item)
                return [made] * len(steps)
            outcomes, removed = await self._send(hop, item, steps, made), made.removed
        for step, outcome in zip(steps, outcomes, strict=True):
            if outcome.status == "5.1.1":
                await gone_there(
                    item.trace, location, step.contact, directory=self._directory, threads=self._threads,
                    journal=self._journal,
                )
        return [_told(outcome, removed) for outcome in outcomes]

    async def _send_as_it_is(self, hop: NextHop, item: Item, steps: Sequence[Convert]) -> list[Outcome]:
        received = item.received or await self._threads.run(read_received, item)
        plain = outgoing(item, await self._recipients.of(steps, item), received)
        return await self._dispatch.send(hop, item, steps[0], plain)

    async def _send(self, hop: NextHop, item: Item, steps: Sequence[Convert], made: VpimMessage) -> list[Outcome]:
        """The file that was made for this attempt stays until it is over."""
        try:
            plain = outgoing(item, await self._recipients.of(steps, item), b"")
            converted = replace(
                plain, sender=made.sender, path=made.path, offset=0, size=made.size, body="7bit", smtputf8=False,
                content=b"",
            )
            return await self._dispatch.send(hop, item, steps[0], converted)
        finally:
            made.close()

    async def _converted(
        self, item: Item, steps: Sequence[Convert], location: Location, *, first: bool
    ) -> VpimMessage | Outcome:
        """The message for the location, or why there is none. The first time it is in the journal."""
        closed = vpim_gate(item.secure, location)
        if closed:
            return Outcome("failed", "5.7.1", f"The message could not be passed on: {closed}.")
        if location.voice_only and item.category == Category.EMAIL.value:
            return Outcome("failed", VOICE_ONLY.status, VOICE_ONLY.cause)
        try:
            made: VpimMessage | Refused = await self._audio_threads.run(self._convert, item, steps, location)
        except (CannotDecode, TooLong) as trouble:
            return Outcome("failed", trouble.reply.enhanced, f"{trouble.reply.text}.")
        if isinstance(made, Refused):
            return Outcome("failed", made.status, made.cause)
        if first:
            self._journal.converted(item.trace, location.name, made.seconds, made.removed)
        return made

    def _convert(self, item: Item, steps: Sequence[Convert], location: Location) -> VpimMessage | Refused:
        with tried_again(f"converting {item.trace} for {location.name}"):
            return self._form.convert(item, steps, location, item.received or read_received(item))


def _step(state: StepState) -> Convert:
    assert isinstance(state.step, Convert)
    return state.step


def _told(outcome: Outcome, removed: tuple[str, ...]) -> Outcome:
    """A sender who asks for success hears of it from here when something was left out, whoever else reports."""
    if outcome.kind != "done" or not removed:
        return outcome
    return replace(outcome, status=REMOVED, why=left_out(removed), success="relayed")


def left_out(removed: Sequence[str]) -> str:
    """One sentence for the sender."""
    names = [f"\u201c{name}\u201d" if "." in name else name for name in removed[:NAMED]]
    more = len(removed) - len(names)
    if more:
        names.append(f"{more} more")
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    verb = "was" if len(removed) == 1 else "were"
    return f"{listed} {verb} left out: the recipient's voice-mail system takes voice messages and fax pages only."
