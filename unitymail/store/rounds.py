"""When which account is visited for its age: all of them in a round, those where nothing can be due left out.

Knows what a visit said of the next one; refuses to know what is done in it.

*Note: who need not be visited.* What happens in an account after a visit is due no sooner than the shortest term later.
So an account is left alone until then, or until the oldest of what it held is due. What is remembered of that is gone
with the process, and then each account is visited once in the next round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from unitymail.policy.aging import NOTHING_AGES, Aging, Happened, IAgingRules, Warned
from unitymail.store.aging import Outlook, visiting
from unitymail.store.fulltext.filling import clear

if TYPE_CHECKING:
    from unitymail.store.account import Account

EVERY_S = 3600.0
"""A round begins so often, and when the rules of the site change."""


class Rounds:
    """`accounts` lists all ids; `opened(id)` gives an account, and whether it was open before."""

    def __init__(
        self, *, rules: IAgingRules, accounts: Callable[[], list[str]], opened: Callable[[str], tuple[Account, bool]],
        now: Callable[[], float],
    ) -> None:
        self._rules = rules
        self._accounts = accounts
        self._opened = opened
        self._now = now
        self._left: list[str] = []
        self._began: tuple[Aging, float] = (NOTHING_AGES, 0.0)
        self._next: dict[str, tuple[Aging, float]] = {}
        self._under_way: Generator[Happened | Warned | None] | None = None

    def go_on(self, patience_s: float) -> tuple[list[Happened | Warned], list[Exception]]:
        """Visit for about so long, by one thread at a time: what was done and is to be told, and what went wrong."""
        end = time.monotonic() + patience_s
        news: list[Happened | Warned] = []
        troubles: list[Exception] = []
        while time.monotonic() < end:
            try:
                self._under_way = self._under_way or self._begun()
                if self._under_way is None:
                    break
                if (one := next(self._under_way)) is not None:
                    news.append(one)
            except StopIteration:
                self._under_way = None
            except Exception as trouble:
                self._under_way = None
                troubles.append(trouble)
        return news, troubles

    def close(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.close()

    def _begun(self) -> Generator[Happened | Warned | None] | None:
        """The visit of the next account for which it is time."""
        self._begin_round()
        while self._left:
            id = self._left.pop()
            aging = self._rules.of(id)
            before, moment = self._next.get(id, (None, 0.0))
            if aging != NOTHING_AGES and (aging != before or self._now() >= moment):
                return self._visit(id, aging)
        return None

    def _begin_round(self) -> None:
        rules, now = self._rules.of_site, self._now()
        before, began = self._began
        if rules != before or (not self._left and abs(now - began) >= EVERY_S):
            self._began = rules, now
            self._left = self._accounts() if rules != NOTHING_AGES else []

    def _visit(self, id: str, aging: Aging) -> Generator[Happened | Warned | None]:
        account, was_open = self._opened(id)
        try:
            outlook: Outlook = yield from visiting(account, aging)
            if account.shredder.is_on:
                clear(account)
        finally:
            if not was_open:
                account.close()
        self._next[id] = aging, outlook.next
        yield outlook.warned
