"""Passwords and lock counters in the database, read through. Refuses to know how a password is hashed or judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, or_, select, update
from zope.interface import implementer

from unitymail.directory.changes import PASSWORD
from unitymail.directory.site import site_of
from unitymail.directory.sql import schema as t
from unitymail.directory.sql.database import Database
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Attempts, Credential, ICredentials, ScramKeys, Secret

c = t.credentials.c
_READ = select(t.credentials).where(c.owner_id == bindparam("owner"))
_FOLLOWING = (
    select(c.scram_iterations)
    .where(c.owner_id > bindparam("place"), c.scram_iterations.is_not(None))
    .order_by(c.owner_id)
    .limit(1)
)


@implementer(ICredentials)
class Credentials:
    """The credentials of this directory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, owner: str) -> Credential | None:
        with self._database.reading() as connection:
            return credential_of(connection, owner)

    def conclude(self, owner: str, judge: Callable[[Attempts], Attempts]) -> Attempts:
        with self._database.changing() as connection:
            row = connection.execute(_attempts(owner)).one_or_none()
            if row is None:
                return Attempts()
            after = judge(Attempts(*row))
            connection.execute(update(t.credentials).where(c.owner_id == owner).values(_columns(after)))
            return after

    def ensure_decoy(self, password_hash: str) -> None:
        with self._database.changing() as connection:
            if credential_of(connection, "") is None:
                connection.execute(insert(t.credentials).values(_fresh("", Secret(password_hash), version=1, now=0.0)))

    def keep_scram(self, owner: str, version: int, keys: ScramKeys) -> None:
        with self._database.changing() as connection:
            if site_of(connection).auth_scram:
                lacks = or_(c.scram_salt.is_(None), c.scram_iterations != keys.iterations)
                same = update(t.credentials).where(c.owner_id == owner, c.version == version, lacks)
                connection.execute(same.values(_scram_columns(keys)))

    def iterations_like(self, place: str) -> int | None:
        with self._database.reading() as connection:
            iterations = connection.execute(_FOLLOWING, {"place": place}).scalar()
            return iterations or connection.execute(_FOLLOWING, {"place": ""}).scalar()

    def secret(self) -> bytes:
        with self._database.reading() as connection:
            secret: bytes = connection.execute(select(t.identity.c.secret)).scalar_one()
            return secret


def _attempts(owner: str) -> Select[Any]:
    return select(c.failures, c.first_failure, c.last_failure, c.locked_until).where(c.owner_id == owner)


def _columns(attempts: Attempts) -> dict[str, float]:
    return {
        "failures": attempts.failures,
        "first_failure": attempts.first_failure,
        "last_failure": attempts.last_failure,
        "locked_until": attempts.locked_until,
    }


def credential_of(connection: Connection, owner: str) -> Credential | None:
    row = connection.execute(_READ, {"owner": owner}).one_or_none()
    return _credential(row) if row is not None else None


def _credential(row: Row[Any]) -> Credential:
    scram = None
    if row.scram_salt is not None:
        scram = ScramKeys(row.scram_salt, row.scram_iterations, row.scram_stored_key, row.scram_server_key)
    return Credential(
        row.owner_id,
        row.password_hash,
        row.version,
        row.changed_at,
        row.must_change,
        Attempts(row.failures, row.first_failure, row.last_failure, row.locked_until),
        scram,
    )


def old_passwords(connection: Connection, owner: str, count: int) -> list[str]:
    """The newest hashes, the present one first."""
    now = connection.execute(select(c.password_hash).where(c.owner_id == owner)).scalars().all()
    h = t.password_history.c
    old = select(h.password_hash).where(h.owner_id == owner).order_by(h.version.desc()).limit(count)
    return [*now, *connection.execute(old).scalars().all()][:count]


def set_password(transaction: Transaction, owner: str, secret: Secret, *, keep: int) -> None:
    """The present password joins the history, of which `keep` stay (the new one counted).

    Keys that were made just before `auth.scram` was switched off are not kept.
    """
    connection = transaction.connection
    if secret.scram is not None and not transaction.once(site_of).auth_scram:
        secret = replace(secret, scram=None)
    old = credential_of(connection, owner)
    version = old.version + 1 if old is not None else 1
    fresh = _fresh(owner, secret, version=version, now=transaction.now)
    if old is not None:
        connection.execute(delete(t.credentials).where(c.owner_id == owner))
    connection.execute(insert(t.credentials), fresh)
    h = t.password_history
    if old is not None:
        values = {"version": old.version, "password_hash": old.password_hash, "changed_at": old.changed_at}
        connection.execute(insert(h).values(owner_id=owner, **values))
        connection.execute(delete(h).where(h.c.owner_id == owner, h.c.version <= version - keep))
    transaction.log("credential", owner, "changed", PASSWORD)


def unlock(transaction: Transaction, owner: str) -> None:
    transaction.connection.execute(update(t.credentials).where(c.owner_id == owner).values(_columns(Attempts())))
    transaction.log("credential", owner, "changed", "unlocked")


def _scram_columns(keys: ScramKeys | None) -> dict[str, Any]:
    return {
        "scram_salt": keys.salt if keys else None,
        "scram_iterations": keys.iterations if keys else None,
        "scram_stored_key": keys.stored_key if keys else None,
        "scram_server_key": keys.server_key if keys else None,
    }


def _fresh(owner: str, secret: Secret, *, version: int, now: float) -> dict[str, Any]:
    return {
        "owner_id": owner,
        "password_hash": secret.password_hash,
        **_scram_columns(secret.scram),
        "version": version,
        "changed_at": now,
        "must_change": secret.must_change,
        **_columns(Attempts()),
    }
