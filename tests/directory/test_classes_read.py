"""The classes of users, for who has no book in memory."""

from dataclasses import replace

from tests.directory.places import DirectoryTestCase
from unitymail.directory.classes_read import ClassesRead
from unitymail.people.class_of_service import ClassOfService, ImapBodies
from unitymail.policy.withholding import Ruling, Withholder, Withholding


class ClassesReadTests(DirectoryTestCase):
    def test_what_a_program_of_one_command_asks(self):
        """What is withheld of a user's mail, by the newest change; nothing is known of accounts that are nobody's."""
        robin = self.user("robin")
        with self.directory.read() as view:
            default, newest = view.get(ClassOfService, robin.cos), view.usn
        withholder = Withholder(ClassesRead(self.directory))
        self.assertEqual(withholder.ruling(robin.id), Ruling(Withholding(ImapBodies.ALL, secure=True), newest))
        self.assertIsNone(withholder.ruling("u-nobody"))
        self.replace(replace(default, imap_bodies=ImapBodies.HEADERS, secure_imap=True))
        later = Withholder(ClassesRead(self.directory)).ruling(robin.id)
        self.assertEqual(later, Ruling(Withholding(ImapBodies.HEADERS), newest + 1))

    def test_the_sites_secure_headers(self):
        """Which header fields make a message secure is read too."""
        self.set_site(secure__headers="X-Ours: yes")
        secrecy = Withholder(ClassesRead(self.directory)).secrecy(b"X-Ours: yes\r\n\r\n", ours=False)
        self.assertTrue(secrecy.secure)
