"""A day of one mailbox: mail keeps coming while a client works in it; in the evening both sides are compared.

What the client does, the story also writes down here, in words that know no protocol; what the server and the client
hold at the end must be that, octet for octet.
"""

import itertools
import threading

from tests.stories import postman
from tests.stories.copies import Copy, as_sent, compare, on_server
from tests.stories.postman import Postman
from tests.stories.test_operation import Watched

CHRIS = "chris.jones@example.com"
ROOM = "warning=700M,send=800M,receive=900M"


class Day:
    """`places`: {(folder, word): flags} as it should be. `octets`: {word: what was sent}."""

    alias = "chris"

    def __init__(self, house):
        self.house = house
        self.numbers = Watched(house)
        self.places = {}
        self.octets = {}
        self._lock = threading.Lock()
        self._count = itertools.count()
        self.postman = Postman(house, CHRIS, self._count, self._comes)

    @property
    def password(self):
        return self.house.passwords[self.alias]

    def begins(self):
        self.house.run("user", "set", self.alias, "--quota", ROOM)
        self.house.start()
        self.postman.start()
        return self

    def more(self, count):
        """The words of the next `count` messages to come, once they are in INBOX."""
        return self.postman.more(count)

    def evening(self):
        """Nothing comes any more."""
        self.postman.end()

    def _comes(self, word, octets):
        with self._lock:
            self.octets[word] = octets
            self.places["INBOX", word] = frozenset()

    def letter(self):
        """(word, octets) of a message that a client may put into a folder itself."""
        number = next(self._count)
        return postman.word_of(number), postman.small(number)

    # What the client, or another one beside it, did.

    def put(self, word, octets, folder, *flags):
        """A message was put into a folder."""
        with self._lock:
            self.octets[word] = octets
            self.places[folder, word] = frozenset(flags)

    def flagged(self, words, *flags, folder="INBOX"):
        with self._lock:
            for word in words:
                self.places[folder, word] |= frozenset(flags)

    def unflagged(self, words, *flags, folder="INBOX"):
        with self._lock:
            for word in words:
                self.places[folder, word] -= frozenset(flags)

    def copied(self, words, target, *, source="INBOX"):
        with self._lock:
            for word in words:
                self.places[target, word] = self.places[source, word]

    def moved(self, words, target, *, source="INBOX"):
        with self._lock:
            for word in words:
                self.places[target, word] = self.places.pop((source, word))

    def gone(self, words, *, folder="INBOX"):
        with self._lock:
            for word in words:
                del self.places[folder, word]

    def renamed(self, old, new):
        """A folder has another name, and so have those below it."""
        with self._lock:
            self.places = {
                (new + folder.removeprefix(old) if f"{folder}/".startswith(f"{old}/") else folder, word): flags
                for (folder, word), flags in self.places.items()
            }

    def words_in(self, folder):
        with self._lock:
            return {word for place, word in self.places if place == folder}

    # What is there.

    def expected(self):
        with self._lock:
            return [Copy(folder, word, flags, self.octets[word]) for (folder, word), flags in self.places.items()]

    def on_server(self):
        """(names of the folders, all copies) as any client would be told."""
        with self.house.imap(self.alias) as box:
            return on_server(box)

    def compare(self, near=None, *, plain=bytes, flags=None, sent=bytes, beside=(), only=None):
        """The server holds what it should, and the client's copies `near`, if it keeps any, are those of the server.

        `plain`: what of the octets the client keeps; `flags`: those that it can keep; `beside`: folders that it has no
        copies of; `sent`: what of the octets that it put there is as it was before; `only`: folders to
        look at, while mail comes to others. Gives the names of the folders.
        """
        folders, far = self.on_server()
        far, expected = (
            [copy for copy in copies if only is None or copy.folder in only] for copies in (far, self.expected())
        )
        compare(far, expected, plain=lambda octets: sent(as_sent(octets)))
        if near is not None:
            compare(near, [copy for copy in far if copy.folder not in beside], plain=plain, flags=flags)
        return folders

    def night(self):
        """Nobody is connected any more; no command was nonsense, nothing is wrong in the mailbox or in the journal."""
        self.evening()
        found = self.numbers.until(lambda found: not any(
            found.get(("connections_open", door)) for door in ("imap", "imaps", "submission")
        ), "the client is gone")
        assert [found.get(("replies_total", door, "BAD"), 0) for door in ("imap", "imaps")] == [0, 0]
        self.house.run("mailbox", "check", self.alias)
        self.house.stop()
        self.house.expect_short_turns()
        journal = self.house.journal()
        assert " trouble " not in journal and "Traceback" not in journal, journal[-3000:]
        assert self.house.left_behind() == []
