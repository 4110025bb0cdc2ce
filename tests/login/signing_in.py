"""A directory with Robin, and sign-ins there whose work is counted, in one process or several."""

import tempfile
from dataclasses import replace
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import InlineThreads, RecordingJournal
from tests.scram import Client
from unitymail.directory.book import Book
from unitymail.directory.credentials import Credentials
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.interfaces.login import Place, SignInRefused
from unitymail.login.login import Login
from unitymail.login.passwords import Passwords
from unitymail.people.user import User

IMAP = Place("imap", "imaps", "10.0.0.1", True)
SMTP = Place("smtp", "submission", "10.0.0.1", True)
RIGHT = b"tulips at noon"


class CountingPasswords(Passwords):
    """Quick, and counts how often it hashed; `work` has each hash in its place."""

    def __init__(self, work):
        super().__init__(memory_kib=64, time_cost=1, scram_iterations=64)
        self.checked = 0
        self._work = work

    def matches(self, password_hash, password):
        self.checked += 1
        self._work.append("hash")
        return super().matches(password_hash, password)

    def scram_keys(self, password):
        self._work.append("derive")
        return super().scram_keys(password)


class CountingCredentials(Credentials):
    """Counts reads and writes; `work` has each in its place."""

    def __init__(self, database, work):
        super().__init__(database)
        self.calls = []
        self._work = work

    def _count(self, what):
        self.calls.append(what)
        self._work.append(what)

    def read(self, owner):
        self._count("read")
        return super().read(owner)

    def conclude(self, owner, judge):
        self._count("write")
        return super().conclude(owner, judge)

    def iterations_like(self, place):
        self._count("like")
        return super().iterations_like(place)

    def keep_scram(self, owner, version, keys):
        self._count("keep")
        super().keep_scram(owner, version, keys)


class OvertakenCredentials(Credentials):
    """Right after the look number `at`, others do something."""

    def __init__(self, database, at, meanwhile):
        super().__init__(database)
        self._left = at
        self._meanwhile = meanwhile

    def read(self, owner):
        found = super().read(owner)
        self._left -= 1
        if not self._left:
            self._meanwhile()
        return found


class LoginTestCase(SynchronousTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = str(Path(folder.name) / "directory.sqlite")
        self.database = Database(self.path)
        self.addCleanup(self.database.close)
        self.time = 1_000_000.0
        self.directory = Directory(self.database, lambda: self.time)
        self.directory.found("vm1.example.com", "vm1.example.com")
        self.work = []
        self.passwords = CountingPasswords(self.work)
        self.robin = self.add(User("", "robin", "", proxies=("robin.smith@example.com",)))
        self.set_password(self.robin, RIGHT, scram=True)
        self.book = Book.load(self.database)
        self.clock, self.journal = Clock(), RecordingJournal()
        self.credentials = CountingCredentials(self.database, self.work)
        self.login = self.another_process(self.credentials)
        self.credentials.calls.clear()
        self.work.clear()

    def another_process(self, credentials=None, **others):
        given = {"threads": InlineThreads(), "passwords": self.passwords, **others}
        login = Login(
            credentials=credentials or Credentials(self.database),
            book=self.book,
            clock=self.clock,
            now=lambda: self.time,
            **{"journal": self.journal, **given},
        )
        login.prepare()
        return login

    def add(self, thing):
        with self.directory.change("tester") as change:
            return change.add(thing)

    def replace(self, thing):
        with self.directory.change("tester") as change:
            change.replace(thing)
        self.book.refresh()

    def set_password(self, user, password, scram=False, **kept):
        secret = replace(self.passwords.secret(password, scram=scram), **kept)
        with self.directory.change("tester") as change:
            change.set_password(user.id, secret)

    def set_site(self, **settings):
        with self.directory.change("tester") as change:
            change.set_site((key.replace("__", "."), value) for key, value in settings.items())
        self.book.refresh()

    def start(self, name=b"robin", password=RIGHT, place=IMAP, login=None, scram=False):
        login = login or self.login
        way = self.prove(name, password, place, login) if scram else login.sign_in(name, password, place)
        return Deferred.fromCoroutine(way)

    async def prove(self, name, password, place, login):
        """SCRAM-SHA-256 from end to end; the server must prove itself too."""
        exchange, client = login.scram(place), Client(name.decode("utf-8", "replace"), password)
        user, final = await exchange.conclude(client.final(await exchange.challenge(client.first())))
        assert client.believes(final)
        return user

    def sign_in(self, *args, **kwargs):
        d = self.start(*args, **kwargs)
        self.clock.pump([1] * 5)
        return self.successResultOf(d)

    def refused(self, *args, **kwargs):
        d = self.start(*args, **kwargs)
        self.clock.pump([1] * 5)
        refusal = self.failureResultOf(d, SignInRefused).value
        return refusal.kind, refusal.why
