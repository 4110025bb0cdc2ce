"""Two real processes, one user: not one wrong password or proof goes uncounted, and the lock is there for everybody."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.login.signing_in import IMAP, RIGHT, SMTP, LoginTestCase
from unitymail.directory.book import Book
from unitymail.directory.credentials import Credentials
from unitymail.directory.sql.database import Database

ROOT = Path(__file__).parents[2]
EACH = 40


class TwoProcessesTests(LoginTestCase):
    def guess_together(self):
        """Reasons given to both, added up; they begin at the same moment."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        processes = [
            subprocess.Popen(
                [sys.executable, str(ROOT / "tests" / "login" / "guesser.py"), self.path, str(number), str(EACH)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            )
            for number in range(2)
        ]  # fmt: skip
        found = Counter()
        try:
            for process in processes:
                self.assertEqual(process.stdout.readline(), "ready\n")
            for process in processes:
                process.stdin.write("go\n")
                process.stdin.flush()
            for process in processes:
                found.update(json.loads(process.stdout.readline()))
                self.assertEqual(process.wait(60), 0)
        finally:
            for process in processes:
                process.kill()
                process.wait()
                process.stdin.close()
                process.stdout.close()
        return found

    def test_every_guess_counts(self):
        """Half at submission with PLAIN, half at IMAP with SCRAM, from two processes at once: the count is exact."""
        self.set_site(auth__max_failures="1000")
        self.assertEqual(self.guess_together(), {"wrong password": 2 * EACH})
        self.assertEqual(self.credentials.read(self.robin.id).attempts.failures, 2 * EACH)

    def test_the_lock_comes_exactly_then(self):
        """The seventeenth guess locks, whoever makes it; nobody gets one more, and it outlives both processes."""
        self.set_site(auth__max_failures="17")
        self.assertEqual(self.guess_together(), {"wrong password": 16, "the user is locked": 2 * EACH - 16})
        other = Database(self.path)
        self.addCleanup(other.close)
        self.book = Book.load(other)
        self.time = self.credentials.read(self.robin.id).attempts.last_failure
        started_anew = self.another_process(Credentials(other))
        for place, scram in ((IMAP, True), (SMTP, False)):
            self.assertEqual(self.refused(place=place, scram=scram, login=started_anew)[1], "the user is locked")
        self.time += 30 * 60 + 60
        self.assertEqual(self.sign_in(password=RIGHT, login=started_anew).id, self.robin.id)
