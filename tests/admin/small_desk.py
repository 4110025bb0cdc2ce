"""A desk for one temporary directory, and a command line that uses it."""

import json
import time

from click.testing import CliRunner

from tests.fakes import FakeUsage
from tests.founded import found
from unitymail.admin.cli.main import command_line
from unitymail.codec import Codec
from unitymail.directory.book import Book
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.history.stories import Stories
from unitymail.interfaces.doorbell import Announced
from unitymail.login.passwords import Passwords


class SmallDesk:
    """Remembers what was announced; `late` are the processes that do not answer."""

    who = "tester"
    host = "vm1.example.com"
    store = None
    bad_mail = None
    queue = None
    codec = Codec()

    def __init__(self, path):
        self.database = Database(path)
        self.directory = Directory(self.database, time.time)
        self.passwords = Passwords(memory_kib=64, time_cost=1, scram_iterations=100)
        self.usage = FakeUsage()
        self.history = Stories(path + ".history")
        self.announced = []
        self.late = ()

    @property
    def book(self):
        return Book.load(self.database)

    @property
    def now(self):
        return time.time()

    @property
    def site(self):
        with self.directory.read() as view:
            return view.site()

    def mailbox_folder(self, account):
        return f"/nowhere/{account}"

    def announce(self, usn):
        self.announced.append(usn)
        return Announced((), self.late)

    def close(self):
        self.database.close()


class CommandLine:
    """`run("user", "list")` gives click's result; `json(...)` what it printed with --json."""

    def __init__(self, path):
        found(path)
        self.desk = SmallDesk(path)
        self._group = command_line(lambda config: self.desk)

    def run(self, *words, input=None, config="node.toml"):
        before = ["-c", config] if config else []
        return CliRunner().invoke(self._group, [*before, *words], input=input, catch_exceptions=False)

    def do(self, *words, input=None):
        result = self.run(*words, input=input)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words, input=None):
        return json.loads(self.do(*words, "--json", input=input))

    def refused(self, *words, input=None):
        """The sentence, on standard error, with exit code 1."""
        result = self.run(*words, input=input)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return result.stderr
