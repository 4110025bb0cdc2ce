"""Two sights of an account and what became different: nothing is overlooked, nothing is said twice."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from unitymail.imap.notify.state import Moved, Sight, news
from unitymail.interfaces.store import FolderInfo, FolderStatus

STATUS = FolderStatus(3, 0, 1, 10, 7, 20, 300, 0, "F1")


def seen(folders, subscribed=(), statuses=None, changes=()):
    """`folders`: name → MAILBOXID, "" for a name that is only a parent."""
    infos = {name: FolderInfo(name, "", name in subscribed, bool(id), False, id) for name, id in folders.items()}
    return Sight(infos, frozenset(subscribed), statuses or {}, 0, changes)


def named(before, now):
    return [(one.info.name, one.itself, one.subscription, one.old_name) for one in news(before, {}, now).named]


class NamesTests(SynchronousTestCase):
    def test_made_and_deleted(self):
        """The name itself and the one above it, there or not."""
        empty, full = seen({"INBOX": "F1"}), seen({"INBOX": "F1", "A": "", "A/B": "F2"})
        self.assertEqual(named(empty, full), [("A", True, False, ""), ("A/B", True, False, "")])
        self.assertEqual(named(full, empty), [("A", True, False, ""), ("A/B", True, False, "")])
        gone = news(full, {}, empty).named
        self.assertFalse(any(one.info.selectable for one in gone))

    def test_made_anew(self):
        """A name that was deleted and made again meanwhile is there, and new."""
        self.assertEqual(named(seen({"A": "F1"}), seen({"A": "F2"})), [("A", True, False, "")])

    def test_renamed(self):
        """The topmost of what was renamed together, once; others that took another name as well are told."""
        before = seen({"A": "F1", "A/B": "F2", "A/B/C": "F3", "D": "F4"})
        self.assertEqual(
            named(before, seen({"E": "F1", "E/B": "F2", "E/B/C": "F3", "D": "F4"})), [("E", True, False, "A")]
        )
        self.assertEqual(
            named(before, seen({"E": "F1", "X": "F2", "E/B/C": "F3", "D": "F4"})),
            [("E", True, False, "A"), ("X", True, False, "A/B")],
        )

    def test_swapped(self):
        """Two that have changed names have both been renamed."""
        self.assertEqual(
            sorted(named(seen({"A": "F1", "B": "F2"}), seen({"A": "F2", "B": "F1"}))),
            [("A", True, False, "B"), ("B", True, False, "A")],
        )

    def test_subscriptions(self):
        """A change of subscription alone is that; with a change of the name it is one event."""
        before = seen({"A": "F1", "B": "F2"}, {"A"})
        self.assertEqual(
            named(before, seen({"A": "F1", "B": "F2", "C": "F3"}, {"B", "C"})),
            [("C", True, True, ""), ("A", False, True, ""), ("B", False, True, "")],
        )

    names = st.sampled_from(["A", "A/B", "A/B/C", "B", "B/C", "INBOX"])
    accounts = st.dictionaries(names, st.sampled_from(["F1", "F2", "F3", "F4"]), max_size=4).filter(
        lambda folders: len(set(folders.values())) == len(folders)
    )

    @given(accounts, st.sets(names), accounts, st.sets(names))
    def test_any_two(self, before, subscribed_before, now, subscribed_now):
        """Who applies what is told to the names it knows knows those that there are now, and their subscriptions."""
        told = news(seen(before, subscribed_before), {}, seen(now, subscribed_now)).named
        self.assertEqual(len(told), len({one.info.name for one in told}))
        known = dict.fromkeys(before)
        for one in sorted(told, key=lambda one: bool(one.old_name), reverse=True):
            if one.old_name:
                for name in [n for n in known if n == one.old_name or n.startswith(one.old_name + "/")]:
                    del known[name]
        for one in told:
            if one.info.selectable:
                known[one.info.name] = None
            else:
                known.pop(one.info.name, None)
            if one.old_name:
                for name in before:
                    moved = one.info.name + name[len(one.old_name):]
                    if name.startswith(one.old_name + "/") and now.get(moved) == before[name]:
                        known[moved] = None
        self.assertEqual(set(known), set(now))
        resubscribed = {one.info.name for one in told if one.subscription}
        self.assertEqual(resubscribed, subscribed_before ^ subscribed_now)


class MovedTests(SynchronousTestCase):
    INFO = FolderInfo("A", mailboxid="F1")

    def moved(self, **now):
        both = seen({"A": "F1"}, statuses={"F1": replace(STATUS, **now)})
        return news(seen({"A": "F1"}), {"F1": STATUS}, both).moved

    def test_numbers(self):
        """Messages that come or leave, and flags, are told apart; sizes and \\Recent are no news."""
        self.assertEqual(self.moved(size=1, recent=2), ())
        self.assertEqual([one.messages for one in self.moved(messages=4, uidnext=11)], [True])
        self.assertEqual([one.messages for one in self.moved(uidnext=11)], [True])
        self.assertEqual([one.messages for one in self.moved(uidvalidity=8)], [True])
        self.assertEqual([one.messages for one in self.moved(unseen=0, highest_modseq=21)], [False])

    def test_two_in_one(self):
        """What changed twice changed from the first state to the last."""
        first, last = replace(STATUS, messages=4, uidnext=11), replace(STATUS, messages=5, uidnext=12)
        both = Moved(self.INFO, first, last).since(Moved(self.INFO, STATUS, first))
        self.assertEqual((both, list(both.came)), (Moved(self.INFO, STATUS, last), [10, 11]))

    def test_a_folder_not_seen_before(self):
        """What is in a new folder is new; a folder that was there but not watched has no news."""
        now = seen({"A": "F1"}, statuses={"F1": STATUS})
        self.assertEqual([list(one.came)[:1] for one in news(seen({}), {}, now).moved], [[1]])
        self.assertEqual(news(seen({"A": "F1"}), {}, now).moved, ())
        self.assertEqual(news(seen({}), {}, seen({"A": "F1"}, statuses={"F1": replace(STATUS, messages=0)})).moved, ())
