"""Site settings in the directory: all or none, remembered, and the authentication rule is the same thing seen twice."""

from tests.directory.places import DirectoryTestCase
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.interfaces.directory import ScramKeys, Secret
from unitymail.settings.site import FIELDS, SiteSettings, write_value


class SiteTests(DirectoryTestCase):
    def test_the_smart_host_is_a_host(self):
        """A name, an address of either kind, or mx: and a domain; what can never be reached is refused."""
        for host in ("smart", "smart.example.com", "10.0.0.1", "2001:db8::1", "mx:example.com", ""):
            self.set_site(smart_host__host=host)
        for host in ("smart host", "smart:25", "mx:", "http://smart", "a..b"):
            self.assertIn("smart_host", self.refusal(self.set_site, smart_host__host=host))

    def test_secure_headers_are_headers(self):
        """A typing mistake would leave every message unmarked; several, one without a value, or none are well."""
        for text in ("X-Unity-Secure: true", "X-A: yes; X-B:; X-C", "X-Unity-Secure: true;", ""):
            self.set_site(secure__headers=text)
        for text in ("X-Unity-Secure = true", "X-Unity-Secure=true", "X-A: true; X Unity", "Gehe\u00edm: 1"):
            self.assertIn("is no name of a header field", self.refusal(self.set_site, secure__headers=text))

    def test_a_new_directory_has_the_factory_settings(self):
        """Nothing set means every default."""
        with self.directory.read() as view:
            self.assertEqual(view.site(), SiteSettings())

    def test_what_is_set_stays(self):
        """Another program that opens the directory sees it."""
        self.set_site(smtp__max_message_kib="20", smart_host__host="smart.example.com", unknown_sender="accept")
        other = Database(self.path)
        self.addCleanup(other.close)
        with Directory(other, lambda: 0.0).read() as view:
            site = view.site()
        self.assertEqual(
            (site.smtp_max_message_kib, site.smart_host_host, site.unknown_sender), (20, "smart.example.com", "accept")
        )

    def test_everything_that_is_shown_can_be_set_back(self):
        """Writing each setting as it is shown changes nothing, not even the number of changes."""
        with self.directory.read() as view:
            shown = {key: write_value(getattr(view.site(), field.name)) for key, field in FIELDS.items()}
        before = self.everything()
        with self.directory.change("tester") as change:
            change.set_site(shown.items())
        self.assertEqual(self.everything(), before)

    def test_one_bad_value_refuses_them_all(self):
        """The good ones beside it are not set either."""
        good = {"smtp__max_recipients": "7"}
        for key, value in (
            ("smtp__max_message_kib", "-1"), ("smtp__max_message_kib", "many"), ("smtp__untrusted_tls", "maybe"),
            ("smtp__allow_untrusted", "perhaps"), ("nothing", "1"), ("smtp__nothing", "1"), ("secure__headers", "a\nb"),
        ):  # fmt: skip
            sentence = self.refusal(self.set_site, **good, **{key: value})
            self.assertIn(key.replace("__", "."), sentence)

    def test_the_authentication_rule_is_set_by_its_keys(self):
        """`auth.max_failures` and the rule's own field cannot disagree."""
        self.set_site(auth__max_failures="3", auth__min_length="12", auth__no_trivial="no")
        with self.directory.read() as view:
            rule, site = view.authentication(), view.site()
        self.assertEqual((rule.max_failures, rule.min_length, rule.no_trivial), (3, 12, False))
        self.assertEqual((site.auth_max_failures, site.auth_min_length, site.auth_no_trivial), (3, 12, False))

    def test_switching_scram_off_deletes_the_keys(self):
        """What is not to be kept is gone at once."""
        robin = self.user("robin")
        with self.directory.change("tester") as change:
            change.set_password(robin.id, Secret("hash", ScramKeys(b"salt", 4096, b"stored", b"server")))
        self.set_site(auth__scram="off")
        with self.directory.read() as view:
            credential = view.credential(robin.id)
        self.assertIsNone(credential.scram)
        self.assertEqual(credential.password_hash, "hash")

    def test_the_trail_says_what_was_and_what_is(self):
        """Who changed which setting from what to what."""
        self.set_site(smtp__max_recipients="7")
        with self.directory.read() as view:
            last = view.changes(0)[-1]
        self.assertEqual(
            (last.kind, last.id, last.detail, last.who), ("site", "smtp.max_recipients", "15000 -> 7", "tester")
        )
