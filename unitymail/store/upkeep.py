"""The upkeep of an account: files follow what was changed, old mail goes for good, rows are rendered anew.

Knows when each is due, and that sessions may work between the batches; refuses to know how a file follows (`settling`)
and what is too old (`undelete`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.store import ages, arranging, landing, layout, receipts, settling, undelete
from unitymail.store.access import guarded
from unitymail.store.index import Index
from unitymail.store.settling import Batch

if TYPE_CHECKING:
    from unitymail.store.account import Account

PATIENCE_S = 0.2
DEBT_S = 60.0
"""A receipt that is owed for so long may be nobody's care any more: its process has died."""
_FIRST = Batch(0, 0, True)


def settle(account: Account) -> int:
    """Let files follow what was changed; how many did."""
    done, batch = 0, _FIRST
    while batch.more:
        batch = _settle_some(account, batch.last)
        done += batch.done
    return done


def settle_if_free(account: Account) -> int:
    """As `settle`; an account that is closed by now, or that somebody keeps busy, is left for the next time."""
    done, batch = 0, _FIRST
    while batch.more:
        with account.access.free(PATIENCE_S) as free:
            if not free:
                break
            batch = _settle_some(account, batch.last)
        done += batch.done
    return done


@guarded
def _settle_some(account: Account, last: int) -> Batch:
    """One batch, and what is old goes when nothing else is to be done."""
    with account.access.using() as index:
        if landing.is_due(index):
            with account.access.alone() as index:
                landing.flush(account, index)
        if index.one("SELECT EXISTS (SELECT 1 FROM pending WHERE id > ?)"
                     " OR EXISTS (SELECT 1 FROM expunged WHERE base IS NULL)", last)[0]:  # fmt: skip
            with account.access.alone() as index:
                index.erase(account.shredder.is_on)
                return settling.settle_some(account, index, last)
        if account.now() - account.purged_at >= undelete.PURGE_EVERY_S:
            with account.access.alone() as index:
                undelete.purge(account, index)
                arranging.forget_threads(index)
                ages.note(index, account.now())
                ages.forget(index, account.now())
                account.purged_at = account.now()
        _remind(account, index)
        _count_again(account, index)
    return Batch(0, last, False)


def _count_again(account: Account, index: Index) -> None:
    """Of what another program brought (an import, an undelete) nobody has told this node how much it is.

    Once it has ended: while another process of the node is at it, that one counts.
    """
    seen, account.seen_outside = account.seen_outside, index.look_outside()
    if account.counted_outside == 0:
        account.counted_outside = account.seen_outside
    if seen == account.seen_outside != account.counted_outside:
        account.counted_outside = seen
        account.usage()


def _remind(account: Account, index: Index) -> None:
    """Tell of old debts again, now and then: whoever sends receipts here sends them if nobody else does."""
    now = account.now()
    if now - account.reminded_at >= DEBT_S:
        account.reminded_at = now
        account.tell(receipts.News(owed=receipts.are_owed(index, now - DEBT_S)))


def reindex(account: Account, index: Index) -> int:
    """Forget what was rendered and look at every file name anew; how many messages there are."""
    with index.changing():
        for table in ("summaries", "fields", "terms", "previews", "sorting", "ties", "packed"):
            index.execute(f"DELETE FROM {table}")
    count = 0
    for name in layout.folders_in(account.path):
        folder = account.folder(name)
        folder.look(index, thoroughly=True)
        count += len(folder.snapshot.uids)
    return count
