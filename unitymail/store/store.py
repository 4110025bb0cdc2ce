"""The mail store: accounts by id, and deliveries into them.

Knows which accounts are open and how a message gets into an INBOX; refuses to know folders. Ids name directories.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from weakref import WeakValueDictionary

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.errors import Never
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.store import IStore, Noticed
from unitymail.policy.aging import NO_RULES, Happened, IAgingRules, Warned
from unitymail.policy.withholding import WITHOUT_BOOK, IWithholder
from unitymail.store import layout, undelete
from unitymail.store.access import Access
from unitymail.store.account import Account
from unitymail.store.fulltext.filling import clear, fill
from unitymail.store.keeping import ensure_directory, link_or_copy
from unitymail.store.maildir import Namer
from unitymail.store.open_indexes import OpenIndexes
from unitymail.store.quota import Usage, constant
from unitymail.store.renewing import Renewed
from unitymail.store.rounds import Rounds
from unitymail.store.shredding import Shredder
from unitymail.store.trouble import trouble_of

FLUSHED_ONE_BY_ONE = 64
DAYS, RETRY_S = 7, 172_800
DAY_S = 86_400
ROUND_EVERY_S = 6 * 3600.0
VISITS = 20
PATIENCE_S = 0.2
PATIENCE_OF_UPKEEP_S = 0.2
UNLIMITED = constant(0)
Setting = int | Callable[[], int]


@implementer(IStore)
class Store:
    """`undelete_days` and `retry_for` (seconds) are values, or functions that give the site's of now.

    `aging` says what becomes of old mail. `shredding`: how often files that are gone for good are overwritten.

    `quota(account)`: the octets an account may hold as far as APPEND and COPY go, 0 for no limit. Of several processes
    one `visits` the accounts that nobody opens, and does the `sweep` when none of the others works yet.
    """

    def __init__(
        self, root: str, *, disk: IDisk, now: Callable[[], float], host: str, usage: IUsage | None = None,
        quota: Callable[[str], int] = UNLIMITED, undelete_days: Setting = DAYS, retry_for: Setting = RETRY_S,
        max_open: int = 256, visits: bool = True, full_text: Callable[[], bool] = lambda: True,
        withholder: IWithholder = WITHOUT_BOOK, shredding: Setting = 0, aging: IAgingRules = NO_RULES,
    ) -> None:  # fmt: skip
        self.root = root
        self._disk = disk
        self._now = now
        self._usage = usage
        self._quota = quota
        self._undelete_days = undelete_days if callable(undelete_days) else constant(undelete_days)
        self._retry_for = retry_for if callable(retry_for) else constant(retry_for)
        self._namer = Namer(host, now)
        self._rounds = Rounds(rules=aging, accounts=self.accounts, opened=self._visited, now=now)
        level = shredding if callable(shredding) else constant(shredding)
        self.shredder = Shredder(root, disk=disk, level=level, name=self._namer.name, now=now)
        self._open = OpenIndexes(max_open)
        self._accounts: WeakValueDictionary[str, Account] = WeakValueDictionary()
        self._lock = threading.Lock()
        self._visits = visits
        self._full_text = full_text
        self._round: list[str] = []
        self._round_began = 0.0
        self._withholder = withholder
        self._told_renewed: Callable[[Renewed], None] | None = None
        self._troubles: list[Exception] = []
        self._listener: Callable[[Noticed], None] | None = None
        self._untold: set[str] = set()
        if ensure_directory(disk, root):
            disk.flush_directory(os.path.dirname(os.path.abspath(root)))

    def account(self, id: str) -> Account:
        directory = self._directory(id)
        with self._lock:
            account = self._accounts.get(id)
            if account is None:
                account = self._accounts[id] = Account(
                    id, Access(self._disk, directory, self._open), disk=self._disk, namer=self._namer, now=self._now,
                    usage=self._usage, quota=self._quota, undelete_days=self._undelete_days, retry_for=self._retry_for,
                    noticed=self._tell, full_text=self._full_text,
                    withholder=self._withholder, renewed=self._tell_renewed, shredder=self.shredder,
                )  # fmt: skip
        account.prepare()
        return account

    def listen(self, noticed: Callable[[Noticed], None]) -> None:
        self._listener = noticed
        while self._untold:
            noticed(Noticed(self._untold.pop(), (), owed=True))

    def _tell(self, news: Noticed) -> None:
        """Readings that nobody listens for are forgotten, debts are not: recovery opens accounts before anybody can."""
        if self._listener is not None:
            self._listener(news)
        elif news.owed:
            self._untold.add(news.account)

    def listen_to_classes(self, renewed: Callable[[Renewed], None]) -> None:
        """Call `renewed`, in any thread, when a change of class has given messages new UIDs."""
        self._told_renewed = renewed

    def _tell_renewed(self, news: Renewed) -> None:
        if self._told_renewed is not None:
            self._told_renewed(news)

    def keep_to_classes(self) -> None:
        """The directory changed: in every open account nothing is shown any more that its class withholds.

        An account that is closed, or kept busy, is seen to before it shows anything the next time.
        """
        for account in self._opened():
            account.keep_to_class_if_free(PATIENCE_S)

    def accounts(self) -> list[str]:
        """The ids of all accounts that exist."""
        return sorted(
            entry.name for entry in os.scandir(self.root) if entry.is_dir() and os.path.isdir(entry.path + "/cur")
        )

    def _directory(self, id: str) -> str:
        if not id or id.startswith(".") or "/" in id or "\0" in id or len(os.fsencode(id)) > 200:
            raise Never(why=f"{id!r} cannot name an account")
        return os.path.join(self.root, id)

    def deliver(self, account: str, source: str, name: str, *, again: bool = False) -> None:
        directory = self._directory(account)
        target = os.path.join(directory, "new", name)
        try:
            if again and os.path.isdir(directory) and self.account(account).knows_name(os.fsencode(name)):
                return
            self._link(source, target, directory)
        except FileExistsError:
            return
        except (OSError, sqlite3.Error) as error:
            raise trouble_of(error) from error

    def _link(self, source: str, target: str, directory: str) -> None:
        def temporary() -> str:
            return os.path.join(directory, "tmp", self._namer.name())

        try:
            link_or_copy(self._disk, source, target, temporary)
        except FileNotFoundError:
            if not layout.make_account(self._disk, directory):
                raise
            self._disk.flush_directory(directory)
            link_or_copy(self._disk, source, target, temporary)

    def make_durable(self, accounts: Collection[str]) -> None:
        try:
            if len(accounts) > FLUSHED_ONE_BY_ONE:
                self._disk.flush_filesystem(self.root)
                return
            for account in accounts:
                self._flush_new(self._directory(account))
        except OSError as error:
            raise trouble_of(error) from error

    def _flush_new(self, directory: str) -> None:
        """An account that was removed since has nothing to be made durable."""
        try:
            self._disk.flush_directory(os.path.join(directory, "new"))
        except FileNotFoundError:
            if os.path.isdir(directory):
                raise

    def settle(self) -> int:
        """Let files follow in every open account; how many did. Blocking; called every few seconds.

        One account in trouble, or kept busy, does not keep the others waiting; the first trouble is raised at the end.
        One whose directory was removed is closed.
        """
        done = 0
        troubles: list[Exception] = []
        for account in self._opened():
            try:
                if os.path.isdir(account.path):
                    account.keep_to_class_if_free(PATIENCE_S)
                    done += account.settle_if_free()
                else:
                    account.close()
            except Exception as trouble:
                troubles.append(trouble)
        try:
            if self._visits:
                self._visit_closed()
        except Exception as trouble:
            troubles.append(trouble)
        if isinstance(self._usage, Usage):
            self._usage.save_now_and_then(self._now())
        if troubles:
            raise troubles[0]
        return done

    def fill_full_text(self) -> None:
        """Read a little of each open account into its full-text index. Blocking; called again and again, behind."""
        for account in self._opened():
            if account.full_text.is_kept and os.path.isdir(account.path):
                fill(account)

    def age(self, patience_s: float = PATIENCE_OF_UPKEEP_S) -> list[Happened | Warned]:
        """Let old mail go in all accounts, open or not, for about so long; what was done and is to be told.

        Blocking; called again and again, by one thread of one process of a node. What went wrong with some accounts
        is raised when nothing else is to be told.
        """
        news, troubles = self._rounds.go_on(patience_s)
        self._troubles += troubles
        if not news and self._troubles:
            raise self._troubles.pop()
        return news

    def _visited(self, id: str) -> tuple[Account, bool]:
        was_open = self._open.holds(self._directory(id))
        return self.account(id), was_open

    def count(self, id: str) -> None:
        """Another program changed what is in an account, open or not: how full it is is known from now on. Blocking."""
        if os.path.isdir(self._directory(id)):
            account, was_open = self._visited(id)
            try:
                account.usage()
            finally:
                if not was_open:
                    account.close()

    def alerted(self, account: str, at: int) -> None:
        """The mail of which `Warned` speaks is on its way; durable on return."""
        self.account(account).alerted(at)

    def shred(self, patience_s: float = PATIENCE_OF_UPKEEP_S) -> bool:
        """Overwrite what is gone for good for about so long; whether there is more. As `age`, in one process."""
        return self.shredder.work(patience_s)

    def _visit_closed(self) -> None:
        """Mail expunged long ago leaves accounts that nobody opens, too: a few at each call, all of them in a round."""
        now = self._now()
        if not self._round and abs(now - self._round_began) >= ROUND_EVERY_S:
            self._round, self._round_began = self.accounts(), now
        some, self._round = self._round[-VISITS:], self._round[:-VISITS]
        before = now - self._undelete_days() * DAY_S
        for id in some:
            if not self._open.holds(self._directory(id)) and undelete.is_overdue(self._directory(id), before):
                account = self.account(id)
                account.settle()
                if self.shredder.is_on:
                    clear(account)
                account.close()

    def _opened(self) -> Iterator[Account]:
        return (owner for owner in self._open.owners() if isinstance(owner, Account))

    def sweep(self) -> int:
        """Remove the temporary files that processes which ended left in any account; how many. At start."""
        return sum(
            layout.sweep(self._disk, os.path.join(self.root, id), self._namer.mark, self._now())
            for id in self.accounts()
        )

    def close(self) -> None:
        self._rounds.close()
        self.shredder.close()
        for account in list(self._opened()):
            account.close()
        if isinstance(self._usage, Usage):
            self._usage.save()
