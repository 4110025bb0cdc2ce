"""Which message of a folder that is taken over gets which UID. Pure: values in, a value out; refuses to know files.

*Note: UIDs are kept* when the folder here has never given one, or when it was taken over before and goes on from there.
A client that knows the folder from the old server must never find another message under a UID that it knows: where
both have gone on after an earlier take-over, the folder gets a new UIDVALIDITY, and clients read it anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from unitymail.store.inserting import Arrival
from unitymail.store.takeover.uid_list import HIGHEST, UidList

Uids = Literal["kept", "new", "renewed"]


@dataclass(frozen=True, slots=True)
class Here:
    """What our folder is now. `uid_of`: base name → UID of all that it has or remembers as expunged; `octets` of the
    files that it has: another size under a name that is known here is another message."""

    uidvalidity: int = 0
    uidnext: int = 1
    uid_of: dict[bytes, int] = field(default_factory=dict)
    octets: dict[bytes, int] = field(default_factory=dict)

    @property
    def is_fresh(self) -> bool:
        return self.uidnext == 1

    def has(self, one: Arrival) -> bool:
        return one.base in self.uid_of and self.octets.get(one.base, one.octets) == one.octets


@dataclass(frozen=True, slots=True)
class Decision:
    """`arrivals`, ascending by UID, are to be taken in; `known` are here already. `uidvalidity` 0: as it is; `renewed`
    asks for one that was never given. `why`: why UIDs are not kept."""

    uids: Uids
    why: str
    uidvalidity: int
    uidnext: int
    arrivals: tuple[tuple[int, Arrival], ...]
    known: int


def decide(messages: Sequence[Arrival], theirs: UidList | str, here: Here) -> Decision:
    fresh = sorted((one for one in messages if not here.has(one)), key=lambda one: one.order)
    known = len(messages) - len(fresh)
    if isinstance(theirs, str):
        return _appended("new", theirs, fresh, here, known)
    if max(theirs.uidnext, here.uidnext) + len(fresh) > HIGHEST:
        return _appended("new", "so few UIDs are left", fresh, here, known)
    if here.is_fresh:
        return _kept(theirs, fresh, here, known, theirs.uidvalidity)
    if here.uidvalidity != theirs.uidvalidity:
        why = "clients have seen this folder here, with UIDs of its own"
        return _appended("new", why, fresh, here, known)
    if _both_went_on(theirs, fresh, here):
        why = "messages came both here and there since it was taken over, so clients read the folder anew"
        return _appended("renewed", why, fresh, here, known)
    return _kept(theirs, fresh, here, known, 0)


def _both_went_on(theirs: UidList, fresh: Collection[Arrival], here: Here) -> bool:
    """Whether a UID below our next one stands for one message here and for another one there."""
    ours = {uid: base for base, uid in here.uid_of.items()}
    came = {one.base for one in fresh}
    return any(
        uid < here.uidnext and (base in came or ours.get(uid, base) != base) for base, uid in theirs.uids.items()
    )


def _kept(theirs: UidList, fresh: list[Arrival], here: Here, known: int, uidvalidity: int) -> Decision:
    """Those that the list does not know come after all others."""
    listed = sorted((theirs.uids[one.base], one) for one in fresh if one.base in theirs.uids) if fresh else []
    first = max(theirs.uidnext, here.uidnext)
    others = [one for one in fresh if one.base not in theirs.uids]
    arrivals = (*listed, *enumerate(others, first))
    return Decision("kept", "", uidvalidity, first + len(others), arrivals, known)


def _appended(uids: Uids, why: str, fresh: list[Arrival], here: Here, known: int) -> Decision:
    arrivals = tuple(enumerate(fresh, here.uidnext))
    return Decision(uids, why, 0, here.uidnext + len(fresh), arrivals, known)
