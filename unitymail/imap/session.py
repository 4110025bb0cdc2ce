"""What the commands of one connection see: who is signed in, which folder is selected, and the way to the client.

Knows the rules of untagged responses (what, and when it may be told); refuses to know framing, TLS and the reactor's
transports, which are the server's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred

from unitymail.imap import fullness, keeping_up, progress, streaming
from unitymail.imap.difference import new_keywords
from unitymail.imap.expectation import Change
from unitymail.imap.registry import Farewell, Gone, No
from unitymail.imap.telling import Manner, flags_lines
from unitymail.interfaces.ledger import Ticket
from unitymail.interfaces.store import IContent, IFolder, NoSuchFolder, Snapshot
from unitymail.policy.fullness import Level
from unitymail.settings import client_rules

if TYPE_CHECKING:
    from unitymail.imap.door import IMAPDoor
    from unitymail.imap.notify.notifier import Notifier
    from unitymail.imap.search.live import LiveSearches
    from unitymail.imap.server import IMAPSession
    from unitymail.people.user import User

LOOK_EVERY_S = 1.0
"""After a command the disk is looked at when that was last done so long ago; commands that poll always look."""


class News(Protocol):
    """What there is to be told beside the selected folder."""

    async def tell(self) -> None:
        """Called now and then after a command, where `catch_up` looks at the disk."""


class Session:
    """`client` is the connection (`IMAPSession`): `line()`, `ask()`, `octets()`, `continuation()`, `start_tls()`.

    `door` holds the collaborators that only some commands need: `login`, `store`, `disk`, `watches`, `slots`. `since`
    is the newest change that the address book held when `user` began to sign in.
    """

    def __init__(self, door: IMAPDoor, client: IMAPSession) -> None:
        self.door = door
        self.client = client
        self.book = door.book
        self.site = door.book.site
        self.threads = door.threads
        self.doorbell = door.doorbell
        self.journal = door.journal
        self.clock = door.clock
        self.user: User | None = None
        self.place: Ticket | None = None
        self.account: Any = None
        self.folder: Any = None
        self.view: Any = None
        self.read_only = True
        self.enabled: set[str] = set()
        self.knows_modseq = False
        self.followers: list[keeping_up.Follower] = []
        self.live: LiveSearches | None = None
        self.notifier: Notifier | None = None
        self.by_uid = False
        self.tag = b""
        self.added = False
        self.fullness = Level.ROOM
        self.failures = 0
        self.since = 0
        self.client_id: dict[str, str] = {}
        self.asked_for = ""
        self.called = ""
        self.appended_to = ""
        self.news: list[News] = []
        self._looked_at = 0.0
        self._progress = progress.Progress()

    # Who and where

    @property
    def state(self) -> str:
        """The state's name as Twisted has it: unauth, auth, select."""
        if self.account is None:
            return "unauth"
        return "auth" if self.folder is None else "select"

    @property
    def rev2(self) -> bool:
        """Whether the client asked for IMAP4rev2 (RFC 9051): no \\Recent, no SEARCH response, and so on."""
        return "IMAP4REV2" in self.enabled

    @property
    def utf8(self) -> bool:
        """Whether names travel in UTF-8 (RFC 6855, and RFC 9051, 5.1)."""
        return self.rev2 or "UTF8=ACCEPT" in self.enabled

    @property
    def hidden_capabilities(self) -> frozenset[str]:
        """In upper case: what the user's programs, or programs such as this one, cannot bear."""
        mine = self.user.hidden_capabilities if self.user is not None else ()
        by_client = client_rules.hidden(client_rules.parse(self.site.imap_hide_capability), self.client_id)
        return frozenset(word.upper() for word in (*mine, *by_client)) - client_rules.NEVER_HIDDEN

    def capabilities(self) -> bytes:
        """`CAPABILITY IMAP4rev1 …`, for the response and for the response code."""
        return b"CAPABILITY " + " ".join(self.door.registry.offered(self)).encode("ascii")

    def sign_out(self) -> None:
        """Nobody is signed in any more."""
        self.give_back()
        self.account = None
        self.appended_to = ""
        self.deselect()

    def give_back(self) -> None:
        """Somebody else may have the user's connection."""
        self.user = None
        place, self.place = self.place, None
        if place is not None:
            self.door.slots.give_back(place)

    async def select(self, folder: IFolder, *, read_only: bool) -> int:
        """Open `folder` with what is \\Recent for us alone; the number of the first unseen message, 0 for none."""
        view, unseen = await self.run(keeping_up.opened, folder, read_only, not self.rev2)
        self.folder, self.view, self.read_only, self.called = folder, view, read_only, folder.name
        self._looked_at = self.clock.seconds()
        return int(unseen)

    def silence(self) -> None:
        """Whatever happens, there is nobody to tell it to."""
        notifier, self.notifier = self.notifier, None
        if notifier is not None:
            notifier.stop()

    def caused(self, event: str, name: str, uids: Sequence[int] = ()) -> None:
        """The client itself made this event of NOTIFY happen, and needs no notice of it; `uids`: of new messages."""
        self.added = self.added or bool(uids)
        if self.notifier is not None and uids:
            self.notifier.own.add_messages(name, uids)
        elif self.notifier is not None:
            self.notifier.own.add(event, name)

    def deselect(self) -> None:
        self.live = None
        self.folder = None
        self.view = None
        self.read_only = True

    def writable(self) -> IFolder:
        """The selected folder; refuses when it was opened with EXAMINE."""
        if self.read_only:
            raise No("The mailbox is open read-only")
        return self.folder

    # To the client

    def send(self, octets: bytes) -> None:
        """Untagged octets, CRLF included. After much of it, wait for `drained`."""
        self.client.outlet.write(octets)

    def begin(self, tag: bytes, *, by_uid: bool) -> None:
        """A command begins."""
        self.tag = tag
        self.added = False
        self.by_uid = by_uid
        self._progress.begin(tag, self.clock.seconds())

    def progress(self, done: int | None = None, goal: int | None = None) -> None:
        """The running command is so far (of `goal`, where that is known): an untagged OK, if it is time for one.

        Cheap when it is not: call it as often as you like, between two whole responses.
        """
        outlet = self.client.outlet
        if self._progress.due(self.clock.seconds()) and not outlet.full and not outlet.gone:
            self.send(progress.octets_of(self._progress.tag, done, goal))

    async def drained(self) -> None:
        """Wait while the client does not read what it asked for; raises Gone when it is not there any more."""
        outlet = self.client.outlet
        if outlet.full:
            self.door.turns.end()
            await outlet.drained()
            self.door.turns.begin()
        if outlet.gone:
            raise Gone

    async def breathe(self) -> None:
        """Let others work if the sessions together have used their share of this turn; raises Gone as `drained`."""
        await self._turn()
        if self.client.outlet.gone:
            raise Gone

    async def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`threads.run`; afterwards we go on when the reactor has time for us."""
        return await self.result(self.begun(function, *args, **kwargs))

    def begun(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """What runs in a thread while we go on, until its `result` is wanted."""
        return self.threads.run(function, *args, **kwargs)

    async def result(self, begun: Awaitable[Any]) -> Any:
        """Of what was `begun`; afterwards we go on when the reactor has time for us."""
        turns = self.door.turns
        turns.end()
        result = await begun
        turns.begin()
        await self._turn()
        return result

    async def labour(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As `run`, for what may take long and cannot say how far it is: the client hears that we are still at it.

        Only between two whole responses.
        """
        still = progress.Still(self.clock, self.progress)
        try:
            return await self.run(function, *args, **kwargs)
        finally:
            still.stop()

    async def _turn(self) -> None:
        turns = self.door.turns
        if not turns.lasts():
            turns.end()
            later: Deferred[None] = Deferred()
            turns.queue(partial(later.callback, None))
            await later

    async def stream(self, content: IContent, offset: int, length: int) -> None:
        """Send `length` octets of `content` from `offset`, which are announced already (see `streaming`)."""
        await streaming.stream(self, content, offset, length)

    # Keeping up with the folder

    async def catch_up(self, expunges: bool, *, look: bool = False, asked: bool = False) -> None:
        """Tell the client what changed in its folder; without `expunges` what is gone stays in the view.

        look: ask the disk, even if that was done a moment ago. asked: it is what the running command was for.
        """
        fullness.tell(self, adding=self.added)
        now = self.clock.seconds()
        look = look or now - self._looked_at >= LOOK_EVERY_S
        if look:
            self._looked_at = now
            for news in self.news:
                await news.tell()
        if self.folder is None:
            return
        if look:
            try:
                await self.run(self.folder.refresh)
            except NoSuchFolder:
                raise deleted() from None
        await self.tell(self.folder.snapshot, expunges=expunges, asked=asked)

    def look_soon(self) -> None:
        """The next `catch_up` looks at the disk, whoever calls it."""
        self._looked_at = -LOOK_EVERY_S

    async def tell(self, snapshot: Snapshot, *, expunges: bool, asked: bool = False) -> None:
        """Send the difference between the view and `snapshot`, and believe it told.

        Unless `asked`, only what the client did not decline by NOTIFY.
        """
        await keeping_up.tell(self, snapshot, expunges=expunges, asked=asked)

    @property
    def manner(self) -> Manner:
        """How this client is to be told of changes."""
        return keeping_up.manner_of(self)

    @property
    def uid_only(self) -> bool:
        """Whether the client gave up sequence numbers (RFC 9586)."""
        return "UIDONLY" in self.enabled

    def learn_modseq(self) -> None:
        """The client has done what makes it CONDSTORE-aware (RFC 7162, 3.1): from now on it is told of MODSEQs."""
        if not self.knows_modseq:
            self.knows_modseq = True
            if self.folder is not None:
                self.send(b"* OK [HIGHESTMODSEQ %d] Changes are counted from here\r\n" % self.view.highest_modseq)

    def modseq_code(self) -> bytes:
        """The response code of a command that made messages leave, for a client that counts changes; else nothing."""
        if not self.knows_modseq or self.folder is None:
            return b""
        return b"HIGHESTMODSEQ %d" % self.view.highest_modseq

    def tell_keywords(self) -> None:
        """Keywords that a FETCH response is about to show for the first time are announced before it."""
        keywords = new_keywords(self.view, self.folder.snapshot)
        if keywords is not None:
            self.send(flags_lines(keywords, read_only=self.read_only))
            self.view.keywords = keywords

    def mark_silent(
        self,
        uids: Sequence[int],
        change: Change | None = None,
        flags: Iterable[str] = (),
    ) -> None:
        """The client knows already what its STORE did to `uids` (ascending): see `View.take_flags`."""
        self.view.take_flags(self.folder.snapshot, uids, change, flags)


def deleted() -> Farewell:
    """What there is to say when somebody else deleted the selected mailbox."""
    return Farewell("The selected mailbox was deleted")
