"""Connections to the directory's database, its transactions and its version. Refuses to know what the tables hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from unitymail.interfaces.directory import WrongVersion
from unitymail.interfaces.errors import TryAgain

BUSY_TIMEOUT_S = 20
MIGRATIONS = Path(__file__).parent / "migrations"
_WRITES = "unitymail_writes"


class Database:
    """The database at a path (an SQLite file) or an SQLAlchemy URL. Opened at first use; safe in any thread."""

    def __init__(self, place: str | Path) -> None:
        self.url = make_url(str(place)) if "://" in str(place) else make_url(f"sqlite:///{place}")
        self._engine = _engine(self.url)

    def make(self) -> None:
        """Create the tables, or bring those that are there to this program's version. For `init`."""
        config = _alembic()
        self._refuse_newer(config)
        with self.changing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def upgrade(self) -> None:
        """Bring the directory that is there to this program's version; raises WrongVersion where none is."""
        self._refuse_none(self._revision())
        self.make()

    def check(self) -> None:
        """Raise WrongVersion unless the schema is this program's."""
        config = _alembic()
        self._refuse_newer(config)
        found, wanted = self._revision(), ScriptDirectory.from_config(config).get_current_head()
        self._refuse_none(found)
        if found != wanted:
            raise WrongVersion(
                f"The directory {self._name} is of version {found} and this program needs {wanted}; "
                "start the node once, which upgrades it."
            )

    def _refuse_none(self, found: str | None) -> None:
        if found is None:
            raise WrongVersion(
                f"{self._name} holds no directory; put the lost one back, or make a new one with `unitymail init`."
            )

    def _refuse_newer(self, config: Config) -> None:
        found = self._revision()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise WrongVersion(
                f"The directory {self._name} was written by a newer program (version {found}); use that one."
            )

    def _revision(self) -> str | None:
        if self.url.get_backend_name() == "sqlite" and not Path(self.url.database or "").exists():
            return None  # looking must not create the file
        with self.reading() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    @property
    def _name(self) -> str:
        return self.url.database or self.url.render_as_string()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database."""
        with _passing_failures(self._name), self._engine.connect() as connection:
            if connection.dialect.name != "sqlite":  # there, BEGIN is a snapshot already
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A transaction that may write: it holds the write lock from its start. Durable when the block ends well."""
        with _passing_failures(self._name), self._engine.connect() as connection:
            writing = connection.execution_options(**{_WRITES: True})
            with writing.begin():
                yield writing

    @contextmanager
    def trying(self) -> Iterator[Connection]:
        """A transaction that is undone at its end. SQLite has one write lock, so there it is one on a copy."""
        if self.url.get_backend_name() == "sqlite":
            with TemporaryDirectory() as folder:
                copy = Database(Path(folder) / "copy.sqlite")
                self._copy_to(copy.url.database or "")
                try:
                    with copy._undoing() as connection:
                        yield connection
                finally:
                    copy.close()
            return
        with self._undoing() as connection:
            yield connection

    @contextmanager
    def _undoing(self) -> Iterator[Connection]:
        with _passing_failures(self._name), self._engine.connect() as connection:
            trying = connection.execution_options(**{_WRITES: True})
            with trying.begin() as transaction:
                yield trying
                transaction.rollback()

    def _copy_to(self, path: str) -> None:
        with closing(sqlite3.connect(path)) as copy, self.reading() as connection:
            ours: Any = connection.connection.driver_connection
            ours.backup(copy)

    def close(self) -> None:
        """Close the idle connections."""
        self._engine.dispose()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _engine(url: Any) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # sqlite3 must not begin transactions of its own
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # Plain BEGIN loses one transaction in nine to "database is locked" under two writers (ecosystem.md 2).
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _passing_failures(name: str) -> Iterator[None]:
    """A locked, full, absent or damaged database is a failure from outside to everyone above, not a mistake of ours."""
    try:
        yield
    except DBAPIError as error:
        broken = isinstance(error, OperationalError) or type(error) is DatabaseError  # its subclasses are mistakes
        if not broken and not error.connection_invalidated:
            raise
        raise TryAgain(why=f"the directory {name}: {error.orig}") from error
