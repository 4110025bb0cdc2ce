"""BadMail: keep the message for an administrator. Refuses to know why."""

from __future__ import annotations

from zope.interface import implementer

from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.spool import DONE, IBadMail, IStepPerformer, Item, Outcome, StepState
from unitymail.interfaces.threads import IThreads
from unitymail.routing.steps import BadMail


@implementer(IStepPerformer)
class BadMailPerformer:
    performs = BadMail

    def __init__(self, *, badmail: IBadMail, journal: IJournal, threads: IThreads) -> None:
        self._badmail = badmail
        self._journal = journal
        self._threads = threads

    async def perform(self, item: Item, state: StepState) -> Outcome:
        step = state.step
        assert isinstance(step, BadMail)
        await self._threads.run(self._badmail.keep, item, step.reason)
        self._journal.bad_mail(item.trace, step.reason)
        return DONE
