"""What a transaction remembers it forgets when a rule changes; its log lines have no gap."""

from dataclasses import replace

from tests.directory.places import DirectoryTestCase
from unitymail.interfaces.directory import Refused
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.location import Location, LocationKind
from unitymail.people.user import Action, Actions, User

RELAYING = User("", "robin", "", actions=Actions(fax=Action.RELAY), relay_address="r@else.example")


class RememberingTests(DirectoryTestCase):
    def test_rules_that_change_within_it_hold_at_once(self):
        """A smart host, a dial id, a class: set and used, or gone and missed, in one transaction."""
        with self.directory.change("tester") as change:
            self.assertRaises(Refused, change.add, RELAYING)
            change.set_site([("smart_host.host", "smart.example.net")])
            change.add(RELAYING)
            change.add(Location("", LocationKind.VPIM, "Tokyo", "tokyo.example", dial_id="881"))
            self.assertRaises(Refused, change.add, User("", "chris", "", extension="881"))
            staff = change.add(ClassOfService("", "Staff"))
            chris = change.add(User("", "chris", "", cos=staff.id))
            change.replace(replace(chris, cos=""))
            change.delete(ClassOfService, staff.id)
            self.assertRaises(Refused, change.add, User("", "kim", "", cos=staff.id))

    def test_numbers_in_the_log_follow_each_other(self):
        """Those of one transaction and the next; the last is the one to announce."""
        with self.directory.change("tester") as change:
            for alias in "abc":
                change.add(User("", alias, ""))
            announced = change.usn
            self.assertEqual(change.changes(0)[-1].usn, announced)
        with self.directory.read() as view:
            self.assertEqual(view.usn, announced)
        self.user("d")
        with self.directory.read() as view:
            usns = [line.usn for line in view.changes(0)]
        self.assertEqual(usns, list(range(1, announced + 2)))
