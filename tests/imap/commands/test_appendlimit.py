"""APPENDLIMIT (RFC 7889), as a client sees it."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.settings.site import SiteSettings


class AppendLimits(SynchronousTestCase):
    def test_the_sites_limit(self):
        """CAPABILITY and STATUS tell the limit that APPEND holds."""
        client = House(site=SiteSettings(smtp_max_message_kib=1)).signed_in()
        self.assertIn(" APPENDLIMIT=1024 ", client.say("a CAPABILITY")[0])
        self.assertEqual(
            client.say("a STATUS INBOX (MESSAGES APPENDLIMIT)"),
            ["* STATUS INBOX (MESSAGES 0 APPENDLIMIT 1024)", "a OK STATUS completed"],
        )
        self.assertEqual(client.say("a APPEND INBOX {1025}"), ["a NO [TOOBIG] A message may have 1024 octets"])
        self.assertEqual(client.say("a APPEND INBOX {1024}"), ["+ Ready for the message"])

    def test_without_a_limit(self):
        """Where the site sets none, what a message can be at most is told."""
        client = House(site=SiteSettings(smtp_max_message_kib=0)).signed_in()
        self.assertIn(" APPENDLIMIT=4294967295 ", client.say("a CAPABILITY")[0])
        self.assertIn("a NO [TOOBIG]", client.say("a APPEND INBOX {4294967296}")[0])

    def test_listed_with_the_status(self):
        """LIST-STATUS tells it too."""
        client = House(site=SiteSettings(smtp_max_message_kib=1)).signed_in()
        heard = client.say('a LIST "" Drafts RETURN (STATUS (APPENDLIMIT))')
        self.assertIn("* STATUS Drafts (APPENDLIMIT 1024)", heard)

    def test_the_greeting(self):
        """Already the greeting says it."""
        self.assertIn(" APPENDLIMIT=", House().connect().greeting)
