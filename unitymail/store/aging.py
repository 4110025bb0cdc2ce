"""Old messages of an account go where the rules want them: a few at a time, behind, while sessions work.

Knows how an account is gone through, and when to come again; refuses to know when a verdict falls (`policy.aging`), how
age is told (`ages`), and how a verdict is carried out (`aged_out`).

*Note: by whom.* One process of a node visits all accounts, whoever has them open. A visit is made of steps, each under
the account's write lock for a moment; sessions, in whichever process, hear of what a step did as of what anybody does.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from unitymail.interfaces.store import NoSuchFolder
from unitymail.policy.aging import (
    DAY_S,
    Aged,
    Aging,
    Alert,
    Happened,
    Place,
    Rule,
    Warned,
    alerts,
    due,
    verdict,
)
from unitymail.store import aged_out, ages
from unitymail.store.access import guarded
from unitymail.store.ages import Message, Moments
from unitymail.store.chosen import chosen
from unitymail.store.index import Index
from unitymail.store.schema import first_id, last_id

if TYPE_CHECKING:
    from unitymail.store.account import Account
    from unitymail.store.folder import Folder

PAGE = 500
READ_AT_ONCE = 100
"""Messages that are looked at while the account waits; so few where a rule may want to look into their files."""
_OF_PLACES = {Place.INBOX: (Rule.NEW, Rule.SAVED), Place.DELETED: (Rule.DELETED,), Place.ELSEWHERE: ()}
_SECURE = (Rule.SECURE, Rule.TOUCHED_SECURE)
_ANYWHERE = (*_SECURE, Rule.RECORDING)


@dataclass(slots=True)
class Tally:
    """What a visit finds out of messages that are not due yet: when to come again, and what to warn of."""

    told_to: dict[Rule, float]
    next: float = inf
    alerts: dict[Rule, list[float]] = field(default_factory=dict)
    """How many, the first moment, the last one."""

    def expect(self, moment: float) -> None:
        self.next = min(self.next, moment)

    def take(self, message: Aged, aging: Aging, now: float) -> None:
        for rule, moment in due(message, aging):
            term = aging.term(rule)
            early = moment - term.alert_days * DAY_S if term is not None else moment
            self.expect(early if early > now else moment)
        for rule, moment in alerts(message, aging, now):
            if moment > self.told_to.get(rule, 0.0):
                count, first, last = self.alerts.get(rule, [0.0, inf, 0.0])
                self.alerts[rule] = [count + 1, min(first, moment), max(last, moment)]


@dataclass(frozen=True, slots=True)
class Outlook:
    """When the account is to be visited again, if nothing happens; what its user is to be told."""

    next: float
    warned: Warned | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """What was done, whose contents are to be replaced, and after which id to go on, None at the end of the folder."""

    happened: Sequence[Happened] = ()
    emptied: Sequence[Message] = ()
    last: int | None = None


def visiting(account: Account, aging: Aging) -> Generator[Happened | None, None, Outlook]:
    """Go through the account, a step each time something is asked of it; gives what was done."""
    tally, moments, folders = _begin(account)
    for number in folders:
        last: int | None = first_id(number) - 1
        while last is not None:
            step = _look_on(account, aging, number, last, moments, tally)
            yield from step.happened
            for begin in range(0, len(step.emptied), aged_out.EMPTIED_AT_ONCE):
                yield _empty(account, number, step.emptied[begin : begin + aged_out.EMPTIED_AT_ONCE], tally)
            yield None
            last = step.last
    return _end(account, aging, tally)


@guarded
def _begin(account: Account) -> tuple[Tally, Moments, list[int]]:
    account.folders()
    with account.access.alone() as index:
        now = account.now()
        ages.note(index, now)
        told = {Rule(rule): told_to for rule, told_to in index.all("SELECT rule, told_to FROM alerts")}
        return Tally(told), Moments(index, now), [id for (id,) in index.all("SELECT id FROM folders ORDER BY id")]


@guarded
def _look_on(account: Account, aging: Aging, number: int, last: int, moments: Moments, tally: Tally) -> _Step:
    with account.access.alone() as index:
        folder = _followed(account, index, number)
        since = ages.bins(index).get(number)
        rules = [] if folder is None else _rules_for(folder, since, aging)
        if folder is None or not rules:
            return _Step()
        now = account.now()
        early = min(term.early_s for rule in rules if (term := aging.term(rule)) is not None)
        if last < first_id(number):
            _expect_later(folder, index, now - early, early, tally)
        messages, go_on = _page(folder, index, last, now - early, rules)
        verdicts: dict[Rule, list[Message]] = {}
        for message in messages:
            aged = ages.seen_by(folder, index, message, moments=moments, since=since)
            if (rule := verdict(aged, aging, now)) is not None:
                verdicts.setdefault(rule, []).append(message)
            else:
                tally.take(aged, aging, now)
        emptied = verdicts.pop(Rule.RECORDING, [])
        done = [aged_out.carry_out(folder, index, rule, some) for rule, some in verdicts.items()]
        if sum(one.messages for one in done) < sum(map(len, verdicts.values())):
            tally.expect(now)
        return _Step([one for one in done if one.messages], emptied, go_on)


def _followed(account: Account, index: Index, number: int) -> Folder | None:
    folder = account.folder_of_row(index, number)
    if folder is not None:
        try:
            folder.follow(index)
        except NoSuchFolder:
            return None
    return folder


def _rules_for(folder: Folder, since: int | None, aging: Aging) -> list[Rule]:
    place = Place.INBOX if not folder.row.directory else Place.ELSEWHERE if since is None else Place.DELETED
    return [rule for rule in (*_OF_PLACES[place], *_ANYWHERE) if aging.term(rule) is not None]


def _expect_later(folder: Folder, index: Index, bound: float, early: float, tally: Tally) -> None:
    """The oldest of those that are too young to be looked at says when to come again."""
    oldest = index.one(
        "SELECT min(min(date, saved)) FROM messages CROSS JOIN facts USING (id)"
        " WHERE messages.id BETWEEN ? AND ? AND min(date, saved) > ?",
        *folder.ids(), bound,
    )[0]  # fmt: skip
    if oldest is not None:
        tally.expect(oldest + early)


def _page(
    folder: Folder, index: Index, last: int, bound: float, rules: Sequence[Rule]
) -> tuple[list[Message], int | None]:
    """Those after `last` that are old enough for one of the rules, with all that it wants to know of them; and the id
    after which to go on, None at the end of the folder."""
    where = f"messages.id > ? AND messages.id <= ? AND min(date, saved) <= ? AND ({_concerned(index, rules)})"
    order = f"ORDER BY messages.id LIMIT {_page_size(rules)}"
    page = ages.rows(index, f"{where} {order}", last, last_id(folder.row.id), bound)
    go_on = page[-1].id if len(page) == _page_size(rules) else None
    if _wants_to_look(rules):
        ages.learn(folder, index, page)
        page = ages.rows(index, f"messages.id IN {chosen()} ORDER BY messages.id", str([one.id for one in page]))
    return page, go_on


def _wants_to_look(rules: Sequence[Rule]) -> bool:
    return any(rule in _ANYWHERE for rule in rules)


def _page_size(rules: Sequence[Rule]) -> int:
    return READ_AT_ONCE if _wants_to_look(rules) else PAGE


def _concerned(index: Index, rules: Sequence[Rule]) -> str:
    """A condition that leaves out what none of these rules is about."""
    index.read_combinations()
    read = [number for number, flags in enumerate(index.combinations) if "\\Seen" in flags]
    conditions = {
        Rule.DELETED: "1",
        Rule.SAVED: f"flags IN ({_listed(read)})",
        Rule.NEW: f"flags NOT IN ({_listed(read)})",
        Rule.RECORDING: f"ifnull(state, {ages.RECORDING}) = {ages.RECORDING}",
        **dict.fromkeys(_SECURE, "ifnull(marks, 2) & 2"),
    }
    return " OR ".join(dict.fromkeys(conditions[rule] for rule in rules))


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


@guarded
def _empty(account: Account, number: int, messages: Sequence[Message], tally: Tally) -> Happened | None:
    with account.access.alone() as index:
        folder = _followed(account, index, number)
        if folder is None:
            return None
        done = aged_out.empty(folder, index, messages)
        if done.messages < len(messages):
            tally.expect(account.now())
        return done if done.messages else None


@guarded
def _end(account: Account, aging: Aging, tally: Tally) -> Outlook:
    with account.access.using() as index:
        now = account.now()
        warned = _warned(account, index, tally, now)
        return Outlook(min(tally.next, now + aging.shortest_s), warned)


def _warned(account: Account, index: Index, tally: Tally, now: float) -> Warned | None:
    """What was to be told, and perhaps was not, else what is new: at most once a day."""
    last = index.one("SELECT ifnull(max(at), 0) FROM alerts")[0]
    if tally.alerts and not _untold(index):
        if now - last < DAY_S:
            tally.expect(last + DAY_S)
            return None
        with index.changing(durable=True):
            index.many(
                "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, 0)",
                [(rule.value, last, int(now), int(n), first) for rule, (n, first, last) in tally.alerts.items()],
            )
    untold = _untold(index)
    if not untold:
        return None
    told = tuple(Alert(Rule(rule), messages, first) for rule, _, messages, first in untold)
    return Warned(account.id, max(at for _, at, _, _ in untold), told)


def _untold(index: Index) -> list[tuple[str, int, int, float]]:
    return index.all("SELECT rule, at, messages, first FROM alerts WHERE NOT sent ORDER BY first, rule")


def told(index: Index, at: int) -> None:
    """The user's mail is on its way; durable on return."""
    with index.changing(durable=True):
        index.execute("UPDATE alerts SET sent = 1 WHERE at <= ?", at)
