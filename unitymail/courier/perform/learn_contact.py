"""LearnContact: what a message from a VPIM location tells of its sender, or of one it returns, gets into the directory.

Knows where in the message the facts stand; refuses to know what follows from them (`learning`). Nothing that goes wrong
here touches the message: the step is done, and the journal knows why nothing was learned.
"""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from zope.interface import implementer

from unitymail.courier.deciding import received
from unitymail.courier.learning import Caller, Teaching, gone_there, lesson, name_of, noted, number_at
from unitymail.interfaces.book import IBook
from unitymail.interfaces.codec import CannotDecode, ICodec, Sound, TooLong
from unitymail.interfaces.directory import IDirectory
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import DONE, IStepPerformer, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.mail.headers import addresses, first
from unitymail.mail.message import Category
from unitymail.mail.part import Octets, Part
from unitymail.mail.returned import returned
from unitymail.mail.structure import scan
from unitymail.mail.vpim.body import Body
from unitymail.mail.vpim.forms import form_of
from unitymail.mail.vpim.inbound import contents_of
from unitymail.people.location import Location
from unitymail.routing.steps import LearnContact

LONGEST_NAME_S = 20
OCTETS_PER_S = 4_000
MOST_NAME = 1 << 20
"""Octets of a recorded name in another form than 32KADPCM."""
MOST_DECODED_S = 600
"""What is longer than a name should be is cut; without a name its contact might go."""
NO_SUCH_MAILBOX = "5.1.1"
MOST_RETURNED = 100


@implementer(IStepPerformer)
class LearnContactPerformer:
    performs = LearnContact

    def __init__(
        self, *, directory: IDirectory, book: IBook, codec: ICodec, journal: IJournal, threads: IThreads,
        audio_threads: IThreads,
    ) -> None:
        self._directory = directory
        self._teaching = Teaching(directory)
        self._book = book
        self._codec = codec
        self._journal = journal
        self._threads = threads
        self._audio_threads = audio_threads

    async def perform(self, item: Item, state: StepState) -> Outcome:
        step = state.step
        assert isinstance(step, LearnContact)
        location = self._book.location(step.location)
        if location is None:
            return DONE
        if item.category == Category.RECEIPT.value:
            await self._learn_of_returned(item, location)
        else:
            await self._learn_of_sender(item, location)
        return DONE

    async def _learn_of_returned(self, item: Item, location: Location) -> None:
        gone: list[str] = await self._threads.run(_gone, item, location)
        for number in dict.fromkeys(gone):
            contact = self._book.contact_at(location.id, number)
            if contact is not None:
                await gone_there(
                    item.trace, location, contact.id, directory=self._directory, threads=self._threads,
                    journal=self._journal,
                )

    async def _learn_of_sender(self, item: Item, location: Location) -> None:
        caller: Caller | None = await self._audio_threads.run(self._caller, item, location)
        if caller is None:
            return
        contact = self._book.contact_at(location.id, caller.number)
        what = lesson(location, contact, caller)
        if what is not None:
            doing = self._threads.run(self._teaching.apply, what, location, contact, caller)
            await noted(item.trace, location, f"{caller.name} ({caller.number})".lstrip(), doing, self._journal)

    def _caller(self, item: Item, location: Location) -> Caller | None:
        """In an audio thread: who the message is from; None when From is no mailbox there."""
        with received(item) as buffer:
            root = scan(buffer).root
            raw = first(buffer, root, b"from")
            for name, address in addresses(raw) if raw is not None else ():
                if number := number_at(location, address):
                    part = contents_of(root).spoken_name
                    return Caller(number, name_of(name), b"" if part is None else self._name(buffer, part, location))
        return None

    def _name(self, buffer: Octets, part: Part, location: Location) -> bytes:
        """The recorded name as 32KADPCM, cut where it is long; b"" when it cannot be heard."""
        form = form_of(buffer, part, swapped=location.swap_code_words)
        if form is None:
            return b""
        most = LONGEST_NAME_S * OCTETS_PER_S if form.startswith("g726") else MOST_NAME
        heard, out = io.BytesIO(_beginning(Body(buffer, part), most)), io.BytesIO()
        try:
            self._codec.convert([Sound(heard, form)], "g726", cast(BinaryIO, out), most_seconds=MOST_DECODED_S)
        except (CannotDecode, TooLong):
            return b""
        return out.getvalue()[: LONGEST_NAME_S * OCTETS_PER_S]


def _beginning(body: Body, most: int) -> bytes:
    octets = b""
    for block in body.blocks():
        octets += block
        if len(octets) >= most:
            break
    return octets[:most]


def _gone(item: Item, location: Location) -> list[str]:
    """Numbers at the location that a report calls unknown there (5.1.1). Other locations' are none of its business."""
    with received(item) as buffer:
        failed = returned(buffer, scan(buffer).root)
    numbers = (
        number_at(location, one.final) or number_at(location, one.original)
        for one in failed
        if one.action == "failed" and one.status == NO_SUCH_MAILBOX
    )
    return [number for number in numbers if number][:MOST_RETURNED]
