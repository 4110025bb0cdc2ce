"""The tables of the directory, for the whole mission. Knows columns and constraints; refuses to know what they mean.

A change here needs a migration beside it in `migrations/versions` (a test compares the two).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(40)


def _id() -> Column[str]:
    return Column("id", ID, primary_key=True)


def _refers(name: str, target: str, *, optional: bool = False) -> Column[str]:
    return Column(name, ID, ForeignKey(f"{target}.id"), nullable=optional, index=True)


def _text(name: str, length: int | None = None, default: str = "") -> Column[str]:
    return Column(name, String(length) if length else Text(), nullable=False, server_default=default)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _ages() -> Column[bool]:
    return Column("age_messages", Boolean, nullable=False, server_default=true())


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _time(name: str) -> Column[float]:
    return Column(name, Float, nullable=False, server_default="0")


def _named(table: str, *columns: Column[Any]) -> Table:
    """A table of things that have an id and a name, unique without regard to case (`name_key`)."""
    return Table(
        table,
        metadata,
        _id(),
        _text("name", 255),
        Column("name_key", String(255), nullable=False, unique=True),
        *columns,
    )


def _actions() -> list[Column[Any]]:
    return [_text(f"action_{category}", 20) for category in ("voice", "email", "fax", "receipt")]


def _quota() -> list[Column[Any]]:
    return [_number(f"quota_{limit}") for limit in ("warning", "send", "receive")]


# Who this node is, and the number of the newest change.
identity = Table(
    "identity",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _text("domain", 255),
    _text("host_name", 255),
    Column("node_id", ID, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    _time("created"),
)
counters = Table("counters", metadata, Column("name", String(20), primary_key=True), _number("value"))
changes = Table(
    "changes",
    metadata,
    Column("usn", BigInteger, primary_key=True, autoincrement=False),
    _text("kind", 20),
    Column("id", String(255), nullable=False),
    _text("what", 20),
    _text("detail"),
    _text("who", 255),
    _time("at"),
)
tombstones = Table(
    "tombstones",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("id", String(255), primary_key=True),
    _text("name", 255),
    Column("usn", BigInteger, nullable=False, index=True),
    _time("at"),
)

# Rules of the site.
site_settings = Table("site_settings", metadata, Column("key", String(80), primary_key=True), _text("value"))
access_rules = Table(
    "access_rules", metadata, Column("pattern", String(80), primary_key=True), _flag("allow"), _flag("legacy")
)
authentication_rules = _named(
    "authentication_rules",
    _number("max_failures"),
    _number("reset_minutes"),
    _number("lock_minutes"),
    _number("min_length"),
    _number("history"),
    _number("min_age_minutes"),
    _number("max_age_days"),
    _flag("no_trivial"),
)
classes_of_service = _named(
    "classes_of_service",
    _flag("access_imap"),
    _text("imap_bodies", 20),
    _text("secure", 20),
    _flag("secure_imap"),
    _flag("send_to_lists"),
)
partitions = _named("partitions")
scopes = _named("scopes")
scope_partitions = Table(
    "scope_partitions",
    metadata,
    Column("scope_id", ID, ForeignKey("scopes.id", ondelete="CASCADE"), primary_key=True),
    Column("partition_id", ID, ForeignKey("partitions.id"), primary_key=True, index=True),
    _number("position"),
)
locations = _named(
    "locations",
    _text("kind", 10),
    _text("domain", 255),
    _text("host", 255),
    _number("port"),
    _number("web_port"),
    _text("fingerprint", 64),
    _text("dial_id", 40),
    _text("remote_prefix", 40),
    _text("local_prefix", 40),
    _refers("partition_id", "partitions", optional=True),
    _refers("scope_id", "scopes", optional=True),
    Column("home_id", ID, ForeignKey("locations.id"), nullable=True, index=True),
    _flag("blind_addressing"),
    _flag("allow_secure"),
    _flag("fax"),
    _flag("swap_code_words"),
    _text("audio", 20),
    _flag("create_contacts"),
    _text("modify_contacts", 20),
    _flag("delete_contacts"),
    _flag("create_without_name"),
    _flag("send_spoken_name"),
    _flag("voice_only"),
)
user_templates = _named(
    "user_templates",
    _text("first_name", 64),
    _text("last_name", 64),
    _text("display_name", 255),
    _text("corporate_address", 320),
    _refers("cos_id", "classes_of_service", optional=True),
    _refers("partition_id", "partitions", optional=True),
    _refers("scope_id", "scopes", optional=True),
    _refers("home_id", "locations", optional=True),
    *_actions(),
    _text("relay_address", 320),
    *_quota(),
    _flag("route_ndr"),
    _text("hidden_capabilities"),
    _text("proxies"),
    _ages(),
)

# The address book. Users, contacts and lists share one space of aliases, of extensions and of addresses.
entries = Table(
    "entries",
    metadata,
    _id(),
    _text("kind", 10),
    _text("alias", 64),
    Column("alias_key", String(128), nullable=False, unique=True),
    _text("display_name", 64),
    _refers("partition_id", "partitions"),
    Column("extension", String(40), nullable=True),
    UniqueConstraint("partition_id", "extension"),
    sqlite_with_rowid=False,
)
users = Table(
    "users",
    metadata,
    Column("id", ID, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    _text("first_name", 64),
    _text("last_name", 64),
    _text("corporate_address", 320),
    _refers("cos_id", "classes_of_service"),
    _refers("scope_id", "scopes"),
    _refers("home_id", "locations", optional=True),
    *_actions(),
    _text("relay_address", 320),
    Column("relay_key", String(330), nullable=True, index=True),
    *_quota(),
    _flag("route_ndr"),
    _text("hidden_capabilities"),
    _time("created"),
    _ages(),
    sqlite_with_rowid=False,
)
contacts = Table(
    "contacts",
    metadata,
    Column("id", ID, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    _text("first_name", 64),
    _text("last_name", 64),
    _refers("location_id", "locations", optional=True),
    _text("mailbox_number", 256),
    sqlite_with_rowid=False,
)
lists = Table(
    "lists",
    metadata,
    Column("id", ID, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    _flag("allow_contacts"),
    _flag("accept_foreign"),
    sqlite_with_rowid=False,
)
members = Table(
    "members",
    metadata,
    Column("list_id", ID, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    Column("member_id", ID, ForeignKey("entries.id"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)
delegates = Table(
    "delegates",
    metadata,
    Column("user_id", ID, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    Column("delegate_id", ID, ForeignKey("entries.id"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)
template_delegates = Table(
    "template_delegates",
    metadata,
    Column("template_id", ID, ForeignKey("user_templates.id", ondelete="CASCADE"), primary_key=True),
    Column("delegate_id", ID, ForeignKey("entries.id"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)
addresses = Table(
    "addresses",
    metadata,
    Column("key", String(330), primary_key=True),
    _text("address", 330),
    Column("owner_id", ID, ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
    _text("kind", 10),
    Index("ix_addresses_owner_id", "owner_id"),
    sqlite_with_rowid=False,
)

# Passwords. The owner "" is the decoy against which unknown names are checked, so there is no foreign key.
credentials = Table(
    "credentials",
    metadata,
    Column("owner_id", ID, primary_key=True),
    _text("password_hash", 255),
    Column("scram_salt", LargeBinary, nullable=True),
    Column("scram_iterations", Integer, nullable=True),
    Column("scram_stored_key", LargeBinary, nullable=True),
    Column("scram_server_key", LargeBinary, nullable=True),
    _number("version"),
    _time("changed_at"),
    _flag("must_change"),
    _number("failures"),
    _time("first_failure"),
    _time("last_failure"),
    _time("locked_until"),
)
spoken_names = Table(
    "spoken_names",
    metadata,
    Column("owner_id", ID, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    Column("audio", LargeBinary, nullable=False),
)
password_history = Table(
    "password_history",
    metadata,
    Column("owner_id", ID, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    _text("password_hash", 255),
    _time("changed_at"),
)
