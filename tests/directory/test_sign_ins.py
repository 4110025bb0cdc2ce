"""How many users give wrong passwords, and how many are locked: over all of them, at a glance."""

import pytest

from unitymail.directory.credentials import Credentials
from unitymail.directory.directory import Directory
from unitymail.directory.sign_ins import SignIns, sign_ins
from unitymail.directory.sql.database import Database
from unitymail.interfaces.directory import Attempts, Secret
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.user import User
from unitymail.policy.lockout import UNTIL_UNLOCKED

NOW = 1_800_000_000.0
RULE = AuthenticationRule()


@pytest.fixture
def database(tmp_path):
    made = Database(str(tmp_path / "directory.sqlite"))
    Directory(made, lambda: NOW).found("vm1.example.com", "vm1.example.com")
    yield made
    made.close()


@pytest.mark.parametrize(("attempts", "found"), [
    (Attempts(), SignIns(0, 0)),
    (Attempts(2, NOW - 50, NOW - 10, 0.0), SignIns(1, 0)),
    (Attempts(2, NOW - 5_000, NOW - 4_000, 0.0), SignIns(0, 0)),
    (Attempts(7, NOW - 50, NOW - 10, NOW + 60), SignIns(1, 1)),
    (Attempts(7, NOW - 9_000, NOW - 8_000, UNTIL_UNLOCKED), SignIns(0, 1)),
    (Attempts(7, NOW - 9_000, NOW - 8_000, NOW - 1), SignIns(0, 0)),
    (Attempts(7, NOW - 9_000, NOW - 8_000, NOW + 10**8), SignIns(0, 0)),
])
def test_one_user(database, attempts, found):
    """A wrong password within the hour counts until the right one came; a lock until it ends, as the doors judge it."""
    with Directory(database, lambda: NOW).change("test") as change:
        user = change.add(User("", "robin", "", "Robin"))
        change.set_password(user.id, Secret("x"))
    Credentials(database).conclude(user.id, lambda before: attempts)
    assert sign_ins(database, RULE, since=NOW - 3_600, now=NOW) == found


def test_the_decoy_is_nobody(database):
    """What stands in for unknown users is not counted."""
    credentials = Credentials(database)
    credentials.ensure_decoy("x")
    credentials.conclude("", lambda before: Attempts(7, NOW, NOW, NOW + 60))
    assert sign_ins(database, RULE, since=NOW - 3_600, now=NOW) == SignIns(0, 0)
