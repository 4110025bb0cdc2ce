"""One session's notifications: kept while a command runs or the client does not read, told between two commands.

Knows what the client wants to hear and in which words; refuses to know how things are found out (``surroundings`` for
other mailboxes, ``watch`` for the selected one). Several changes of a mailbox that wait are told as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from unitymail.imap import annotation, listing
from unitymail.imap.difference import Difference
from unitymail.imap.fetch.deliver import deliver
from unitymail.imap.fetch.plan import Plan, planned
from unitymail.imap.listing import Listed, Manner
from unitymail.imap.notify.own import Own
from unitymail.imap.notify.state import Moved, Named, News
from unitymail.imap.notify.wish import FLAGS, METADATA, NAMES, NEW, OF_MESSAGES, SUBSCRIPTIONS, Wish
from unitymail.imap.registry import Farewell, No
from unitymail.imap.session import deleted
from unitymail.imap.sign_in import not_any_more
from unitymail.imap.view import View
from unitymail.imap.wire import response
from unitymail.imap.wire.sequence import Span
from unitymail.interfaces.store import FolderInfo, FolderStatus

if TYPE_CHECKING:
    from unitymail.imap.session import Session

MOST_WAITING = 2_000
"""Names and annotations that wait to be told."""
TOO_MANY = b"* OK [NOTIFICATIONOVERFLOW] Too much happens to tell of it; from now on you are told of nothing\r\n"


class Notifier:
    """`wish` is what the client asked for. `idling`: what to call when there is something to tell during IDLE."""

    def __init__(self, session: Session, wish: Wish) -> None:
        self.wish = wish
        self.idling: Callable[[], None] | None = None
        self.own = Own(session.clock.seconds)
        self._session = session
        self._account = session.account
        self._surroundings = session.door.watches.surroundings
        self._plan: Plan | None = None
        self._folder: object = None
        self._stop_watching: Callable[[], None] | None = None
        self._moved: dict[str, Moved] = {}
        self._named: dict[str, Named] = {}
        self._annotated: dict[str, dict[str, None]] = {}
        self._rung = self._folder_gone = self._overflowed = False

    @property
    def wants_messages(self) -> bool:
        """Whether the client wants to hear of messages that come and leave in its folder."""
        return bool(self.wish.selected.events)

    @property
    def wants_flags(self) -> bool:
        return FLAGS in self.wish.selected.events

    # Beginning and end

    async def start(self, *, tell_status: bool) -> None:
        """Hear of what happens from now on; `tell_status`: how things stand in the mailboxes that are watched."""
        session = self._session
        if self.wish.selected.items:
            self._plan = planned(self.wish.selected.items, by_uid=False, uid_only=session.uid_only)
            if self._plan.shows_modseq:
                session.learn_modseq()
        if not self.wish.looks_around:
            return
        statuses = await self._surroundings.join(self._account, self)
        if statuses is None:
            raise No("Those are too many mailboxes to watch", b"NOTIFICATIONOVERFLOW")
        if tell_status:
            for info, status in statuses.items():
                if not self._is_selected(info):
                    session.send(self._status_line(info, self._first_items(info, status)))
            await session.drained()

    def replaces(self, earlier: Notifier) -> None:
        """What the client has not been told yet, it is told now, if it still wants to know."""
        self.heard(News(
            tuple(earlier._moved.values()),
            tuple(earlier._named.values()),
            tuple((self._about(name), entry) for name, entries in earlier._annotated.items() for entry in entries),
        ))  # fmt: skip

    @staticmethod
    def _about(name: str) -> FolderInfo:
        return FolderInfo(name, selectable=bool(name))

    def stop(self) -> None:
        """Hear of nothing any more."""
        self._surroundings.leave(self._account, self)
        self._watch(None)
        if self in self._session.followers:
            self._session.followers.remove(self)

    def follow(self) -> None:
        """A command is over: another folder may be selected now, and things may have happened meanwhile."""
        session = self._session
        self._watch(session.folder if self.wants_messages else None)
        if self._waits():
            self._wake()

    def _watch(self, folder: object) -> None:
        if folder is self._folder:
            return
        if self._stop_watching is not None:
            self._stop_watching()
            self._stop_watching = None
        self._folder = folder
        self._rung = self._folder_gone = False
        session = self._session
        if folder is not None:
            self._stop_watching = session.door.watches.watch(self._account.id, session.folder, self._rang)
            if self not in session.followers:
                session.followers.append(self)

    # What happens

    def _rang(self, gone: bool) -> None:
        self._rung = True
        self._folder_gone = self._folder_gone or gone
        self._wake()

    def heard(self, told: News) -> None:
        for moved in told.moved:
            if not OF_MESSAGES.isdisjoint(self.wish.events_of(moved.info)) and not self.own.explains_all(moved):
                earlier = self._moved.get(moved.info.mailboxid)
                self._moved[moved.info.mailboxid] = moved if earlier is None else moved.since(earlier)
        for named in told.named:
            if self._wants(named):
                self._named[named.info.name] = named
        for info, entry in told.annotated:
            wanted = METADATA in self.wish.events_of(info) if info.name else self.wish.hears_of_server
            if wanted and not self.own.explains(METADATA, info.name):
                self._annotated.setdefault(info.name, {})[entry] = None
        if len(self._named) + sum(map(len, self._annotated.values())) > MOST_WAITING:
            self._overflow()
        if self._waits():
            self._wake()

    def _wants(self, named: Named) -> bool:
        # Who follows subscriptions hears of what is no longer subscribed, too.
        info = replace(named.info, subscribed=named.info.subscribed or named.subscription)
        events = self.wish.events_of(info)
        if named.old_name:
            events |= self.wish.events_of(replace(info, name=named.old_name))
        name = named.info.name
        return (named.itself and NAMES in events and not self.own.explains(NAMES, name)) or (
            named.subscription and SUBSCRIPTIONS in events and not self.own.explains(SUBSCRIPTIONS, name)
        )

    def _overflow(self) -> None:
        """As if the client had said NOTIFY NONE, but it is told (5.8)."""
        self.stop()
        self.wish = Wish()
        self._moved.clear()
        self._named.clear()
        self._annotated.clear()
        self._overflowed = True

    def _waits(self) -> bool:
        if self._moved or self._named or self._annotated or self._rung or self._folder_gone or self._overflowed:
            return True
        session = self._session
        if session.folder is None or not self.wants_messages:
            return False
        return bool(session.view.differs(session.folder.snapshot, expunges=not self.wish.selected.delayed))

    def _wake(self) -> None:
        if self.idling is not None:
            self.idling()
        else:
            self._session.client.conductor.between_commands(self._push)

    # Telling

    async def _push(self) -> None:
        refusal = not_any_more(self._session)
        if refusal is not None:
            raise Farewell(refusal.text, refusal.code.encode("ascii"))
        await self.tell(expunges=not self.wish.selected.delayed)

    async def tell(self, *, expunges: bool) -> None:
        """All that waits. expunges: also what the client asked to be told of at certain commands only."""
        session = self._session
        await session.drained()
        if self._overflowed:
            self._overflowed = False
            session.send(TOO_MANY)
        lines = [*self._name_lines(), *self._moved_lines(), *await self._annotation_lines()]
        if lines:
            session.send(b"".join(lines))
        if self._folder_gone:
            raise deleted()
        self._rung = False
        if self.wants_messages and session.folder is not None:
            await session.tell(session.folder.snapshot, expunges=expunges)

    def _name_lines(self) -> Iterator[bytes]:
        waiting, self._named = self._named, {}
        manner = Manner(extended=True, subscribed=True, utf8=self._session.utf8)
        for named in waiting.values():
            yield listing.line(Listed(named.info), manner, old_name=named.old_name)

    def _moved_lines(self) -> Iterator[bytes]:
        waiting, self._moved = self._moved, {}
        for moved in waiting.values():
            if not self._is_selected(moved.info) and (items := self._items(moved)):
                yield self._status_line(moved.info, items)

    async def _annotation_lines(self) -> list[bytes]:
        """Who enabled METADATA hears of all annotations anyway; then once is enough."""
        waiting, self._annotated = self._annotated, {}
        session = self._session
        if waiting and "METADATA" in session.enabled:
            for news in session.news:
                await news.tell()
            return []
        return [annotation.changes_line(name, entries, utf8=session.utf8) for name, entries in waiting.items()]

    def _is_selected(self, info: FolderInfo) -> bool:
        folder = self._session.folder
        return folder is not None and folder.id == info.mailboxid

    def _first_items(self, info: FolderInfo, status: FolderStatus) -> dict[bytes, int]:
        events = self.wish.events_of(info)
        items = {}
        if NEW in events:
            items = {b"MESSAGES": status.messages, b"UIDNEXT": status.uidnext, b"UIDVALIDITY": status.uidvalidity}
        if FLAGS in events:
            items |= {b"UNSEEN": status.unseen, b"HIGHESTMODSEQ": status.highest_modseq}
        return items

    def _items(self, moved: Moved) -> dict[bytes, int]:
        """Nothing when the client would learn nothing from it (5.1)."""
        now = moved.now
        events = self.wish.events_of(moved.info)
        items = {b"MESSAGES": now.messages, b"UIDNEXT": now.uidnext} if moved.messages else {}
        if FLAGS in events and now.unseen != moved.before.unseen:
            items[b"UNSEEN"] = now.unseen
        if self._session.knows_modseq and (items or FLAGS in events):
            items[b"HIGHESTMODSEQ"] = now.highest_modseq
        return {**items, b"UIDVALIDITY": now.uidvalidity} if items else items

    def _status_line(self, info: FolderInfo, items: dict[bytes, int]) -> bytes:
        listed = b" ".join(b"%b %d" % item for item in items.items())
        return b"* STATUS %b (%b)\r\n" % (response.mailbox(info.name, utf8=self._session.utf8), listed)

    # New messages of the selected folder

    async def told(self, difference: Difference, view: View) -> None:
        """Fetch of the messages that came what the client wants to know, unless it put them there itself."""
        own = self.own.take_messages(self._session.folder.name)
        if self._plan is None or difference.exists is None:
            return
        try:
            await deliver(self._session, self._plan, _spans(difference, own))
        except No:
            return  # an encoding that nobody knows: the message is left out


def _spans(difference: Difference, own: set[int]) -> list[Span]:
    """Half-open spans of the messages that came, without `own`."""
    spans: list[Span] = []
    for at in range(difference.known, len(difference.uids)):
        if difference.uids[at] in own:
            continue
        if spans and spans[-1][1] == at:
            spans[-1] = (spans[-1][0], at + 1)
        else:
            spans.append((at, at + 1))
    return spans
