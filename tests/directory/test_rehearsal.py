"""A rehearsed change refuses what a real one would, sees its own changes, keeps nothing and holds nobody up."""

from tests.directory.places import DirectoryTestCase
from unitymail.interfaces.directory import Taken
from unitymail.people.user import User


class RehearsalTests(DirectoryTestCase):
    def test_nothing_is_kept(self):
        """Within it, what was added is there and taken; after it, everything is as it was."""
        self.user("robin")
        before = self.everything()
        with self.directory.rehearse("tester") as change:
            chris = change.add(User("", "chris", "", extension="7"))
            self.assertEqual(change.get(User, chris.id), chris)
            for taken in (User("", "robin", ""), User("", "kim", "", extension="7")):
                self.assertRaises(Taken, change.add, taken)
            self.assertEqual(change.changes(0)[-1].detail, "chris")
        self.assertEqual(self.everything(), before)

    def test_others_write_meanwhile(self):
        """A long one does not lock the directory."""
        with self.directory.rehearse("tester") as change:
            change.add(User("", "chris", ""))
            self.user("robin")
        with self.directory.read() as view:
            self.assertEqual([user.alias for user in view.all(User)], ["robin"])

    def test_what_fails_in_it_is_passed_on(self):
        """And leaves nothing either."""
        before = self.everything()

        def fail():
            with self.directory.rehearse("tester") as change:
                change.add(User("", "chris", ""))
                raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, fail)
        self.assertEqual(self.everything(), before)
