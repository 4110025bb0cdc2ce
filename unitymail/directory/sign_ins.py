"""How signing in went, over all users: for an administrator's glance. Refuses to know who they are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, or_, select

from unitymail.directory.sql import schema as t
from unitymail.directory.sql.database import Database
from unitymail.interfaces.directory import Attempts
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.policy.lockout import is_locked

c = t.credentials.c


@dataclass(frozen=True, slots=True)
class SignIns:
    """How many users gave a wrong password since a moment, and how many are locked now."""

    failing: int
    locked: int


def sign_ins(database: Database, rule: AuthenticationRule, *, since: float, now: float) -> SignIns:
    """Blocking: one look at each user who failed of late."""
    known = c.owner_id != ""
    attempts = select(c.failures, c.first_failure, c.last_failure, c.locked_until)
    with database.reading() as connection:
        failing = connection.execute(
            select(func.count()).where(known, c.last_failure >= since, or_(c.failures > 0, c.locked_until > 0))
        ).scalar_one()
        rows = connection.execute(attempts.where(known, c.locked_until > now)).all()
    return SignIns(failing, sum(is_locked(Attempts(*row), rule, now) for row in rows))
