"""PREVIEW (RFC 8970), as a client sees it."""

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.store import Store

LOREM = (
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit. Aliquam justo turpis, fermentum ut nibh quis, ornare"
    " tristique lacus. Pellentesque dictum magna sed sem convallis, et porttitor ante viverra."
)


class Previews(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.house.inbox.put(b"Subject: x\r\n\r\n" + LOREM.encode() + b"\r\n")
        self.client = self.house.selected()

    def test_the_first_example(self):
        """A preview and a size, by one FETCH."""
        size = len(self.house.inbox.octets(1))
        self.assertEqual(
            self.client.say("A2 FETCH 1 (RFC822.SIZE PREVIEW)"),
            [f'* 1 FETCH (RFC822.SIZE {size} PREVIEW "{LOREM}")', "A2 OK FETCH completed"],
        )

    def test_the_second_example(self):
        """LAZY tells only what is known already; without it the rest is made."""
        for _ in range(3):
            self.house.inbox.put(MESSAGE)
        self.client.say("x NOOP")
        self.client.say("B0 FETCH 1,3 (PREVIEW)")
        heard = self.client.say("B1 FETCH 1:4 (UID PREVIEW (LAZY))")
        self.assertEqual(
            [line.rpartition("PREVIEW ")[2][:5] for line in heard[:-1]], ['"Lore', "NIL)", '"At n', "NIL)"]
        )
        self.assertEqual(
            self.client.say("B3 FETCH 2,4 (PREVIEW)"),
            ['* 2 FETCH (PREVIEW "At noon?")', '* 4 FETCH (PREVIEW "At noon?")', "B3 OK FETCH completed"],
        )
        self.assertNotIn("NIL", "".join(self.client.say("B4 UID FETCH 1:* (PREVIEW (LAZY))")))

    def test_alone(self):
        """Without parentheses around the attributes, with and without LAZY."""
        self.assertIn("PREVIEW NIL", self.client.say("a FETCH 1 PREVIEW (lazy)")[0])
        self.assertIn('PREVIEW "Lorem', self.client.say("a FETCH 1 PREVIEW")[0])
        self.assertIn('PREVIEW "Lorem', self.client.say("a FETCH 1 (PREVIEW (LAZY LAZY) UID)")[0])

    def test_nothing_to_say(self):
        """An empty message has an empty preview, which is not NIL."""
        self.house.inbox.put(b"Subject: x\r\n\r\n")
        self.client.say("x NOOP")
        self.assertEqual(self.client.say("a FETCH 2 PREVIEW")[0], '* 2 FETCH (PREVIEW "")')
        self.assertEqual(self.client.say("a FETCH 2 PREVIEW (LAZY)")[0], '* 2 FETCH (PREVIEW "")')

    def test_utf8(self):
        """Text that is not ASCII comes as a literal of UTF-8, quotes and backslashes as they must."""
        self.house.inbox.put('Content-Type: text/plain; charset=utf-8\r\n\r\nGr\u00fc\u00dfe'.encode())
        self.house.inbox.put(b'\r\nsay "yes" \\o/ 100% {7}\r\n')
        self.client.say("x NOOP")
        self.client.send("a FETCH 2 PREVIEW\r\n")
        heard = self.client.heard().encode("latin-1")
        self.assertTrue(heard.startswith("* 2 FETCH (PREVIEW {7}\r\nGr\u00fc\u00dfe)".encode()), heard)
        self.assertEqual(self.client.say("a FETCH 3 PREVIEW")[0], '* 3 FETCH (PREVIEW "say \\"yes\\" \\\\o/ 100% {7}")')

    def test_unread_stays_unread(self):
        """A preview is no reading."""
        self.client.say("a FETCH 1 PREVIEW")
        self.assertEqual(self.house.inbox.flags_of(1), set())

    def test_grammar(self):
        """Modifiers nobody knows are BAD."""
        for words in (
            "PREVIEW (FAST)", "(PREVIEW (FAST))", "PREVIEW (LAZY", "(PREVIEW ())", "PREVIEW=FUZZY", "(PREVIEW LAZY)",
        ):  # fmt: skip
            self.assertTrue(self.client.say(f"a FETCH 1 {words}")[-1].startswith("a BAD"), words)

    def test_announced(self):
        """The capability is there."""
        self.assertIn(" PREVIEW ", self.client.say("a CAPABILITY")[0])


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
    yield store
    store.close()


def test_on_disk(store, tmp_path):
    """The store makes previews once, keeps them for copies too, and forgets them when it is told to look anew."""
    account = store.account("u")
    inbox = account.folder("INBOX")
    for number in range(250):
        descriptor, path = account.new_file()
        with open(descriptor, "wb") as file:
            file.write(b"Subject: x\r\n\r\nmessage %d\r\n" % number)
        inbox.append(path, [], None)
    assert inbox.rows([7], ["lazypreview"]) == [(7, 0)]
    assert inbox.rows(range(1, 251), ["preview"]) == [(n + 1, f"message {n}") for n in range(250)]
    assert inbox.rows([7], ["size", "lazypreview", "emailid"])[0][2] == "message 6"
    copied = inbox.copy([7], account.folder("Junk")).targets
    assert account.folder("Junk").rows(copied, ["lazypreview"])[0][1] == "message 6"
    account.reindex()
    assert inbox.rows([7], ["lazypreview"]) == [(7, 0)]
    assert inbox.rows([7], ["preview", "size", "envelope"])[0][1] == "message 6"
