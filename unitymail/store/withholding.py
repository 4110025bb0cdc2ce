"""What the class of service withholds of an account's messages: decided once for each content, by the rule in force.

Knows the rule of an index and what was decided by it; refuses to know how a withheld form is made (`mail.withheld`),
what a class says (`policy.withholding`), and what happens to messages when that changes (`renewing`).

*Note: decided.* A message is undecided while `facts.size` is NULL: nothing of it was shown to anybody. Its size, its
form and `facts.withheld` (a number of `Reason`, 0 for a message that is shown) are found out together, by the rule that
is then in force, for all rows of its content. The rule is read in the transaction that writes the decision. A decided
message keeps its form for as long as it has its UID.

*Note: stored octets.* Quotas, and the octets of folders, count files: whoever is full has to see of what.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from unitymail.mail.secrecy import Secrecy
from unitymail.mail.windows import Octets
from unitymail.people.class_of_service import ImapBodies
from unitymail.policy.withholding import NOTHING, Withholding, reason_to_withhold
from unitymail.store.index import Index
from unitymail.store.maildir import is_own, trace_of

if TYPE_CHECKING:
    from unitymail.store.account import Account

LEFT = -1
"""In place of a `Reason`: the message had left its folder already when another rule came, and nobody sees it again."""
_BODIES = (ImapBodies.ALL, ImapBodies.NOT_PRIVATE, ImapBodies.HEADERS)
_SECURE = 4


@dataclass(frozen=True, slots=True)
class InForce:
    """The rule of an index, the change of the directory it is from, and since when (Unix seconds)."""

    withholding: Withholding = NOTHING
    usn: int = -1
    since: int = 0


class Decision(NamedTuple):
    """Of one content: the size of its form in CRLF, the reason to withhold it or 0, what it asks for where known."""

    content: int
    size: int
    withheld: int
    secrecy: Secrecy | None


def in_force(index: Index) -> InForce:
    """The rule by which this index decides."""
    row = index.one("SELECT rule, usn, at FROM withholding")
    return InForce() if row is None else InForce(_rule(row[0]), row[1], row[2])


def put_in_force(index: Index, rule: InForce) -> None:
    """From now on decide by this rule; inside a transaction."""
    index.execute(
        "INSERT OR REPLACE INTO withholding VALUES (1, ?, ?, ?)", _number(rule.withholding), rule.usn, rule.since
    )


def _rule(number: int) -> Withholding:
    return Withholding(_BODIES[number % _SECURE], bool(number & _SECURE))


def _number(rule: Withholding) -> int:
    return _BODIES.index(rule.bodies) | (_SECURE if rule.secure else 0)


def shows_at_once(rule: Withholding, base: bytes) -> bool:
    """Whether the message is shown whatever is in its file: nobody has to look into it."""
    return rule == NOTHING or is_own(base)


def judged(account: Account, rule: Withholding, base: bytes, buffer: Octets) -> tuple[int, Secrecy | None]:
    """(the reason to withhold the message in this file, or 0; what it asks for, None when nobody looked)."""
    if shows_at_once(rule, base):
        return 0, None
    secrecy = account.withholder.secrecy(buffer, ours=bool(trace_of(base)))
    return reason_to_withhold(secrecy, rule) or 0, secrecy


def keep(index: Index, rule: Withholding, decisions: Iterable[Decision]) -> bool:
    """Write down what was decided by `rule`; False, and nothing is written, when another one is in force by now."""
    if in_force(index).withholding != rule:
        return False
    decisions = list(decisions)
    index.many(
        "UPDATE facts SET size = ?, withheld = ? WHERE content = ?",
        [(one.size, one.withheld, one.content) for one in decisions],
    )
    keep_secrecy(index, ((one.content, one.secrecy) for one in decisions if one.secrecy is not None))
    return True


def keep_secrecy(index: Index, known: Iterable[tuple[int, Secrecy]]) -> None:
    """Write down what these contents ask for."""
    index.many(
        "INSERT OR REPLACE INTO secrecy VALUES (?, ?)",
        [(content, secrecy.private | secrecy.secure << 1) for content, secrecy in known],
    )
