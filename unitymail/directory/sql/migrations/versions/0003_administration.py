"""What administration needs besides: names, home and delegates in templates, relay addresses found by their key.

The list that gets undeliverable messages is renamed to what everybody knows it by, or made where it is missing.
"""

import base64
import secrets
import time
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OLD_ALIAS, ALIAS, NAME = "undeliverable-messages", "undeliverablemessages", "Undeliverable Messages"


def upgrade() -> None:
    with op.batch_alter_table("user_templates") as batch:
        for name in ("first_name", "last_name"):
            batch.add_column(sa.Column(name, sa.String(length=64), server_default="", nullable=False))
        batch.add_column(sa.Column("home_id", sa.String(length=40), nullable=True))
        batch.create_foreign_key(op.f("fk_user_templates_home_id"), "locations", ["home_id"], ["id"])
    op.create_index(op.f("ix_user_templates_home_id"), "user_templates", ["home_id"], unique=False)
    op.create_table(
        "template_delegates",
        sa.Column("template_id", sa.String(length=40), nullable=False),
        sa.Column("delegate_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"], ["user_templates.id"], name=op.f("fk_template_delegates_template_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["delegate_id"], ["entries.id"], name=op.f("fk_template_delegates_delegate_id")),
        sa.PrimaryKeyConstraint("template_id", "delegate_id", name=op.f("pk_template_delegates")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_template_delegates_delegate_id"), "template_delegates", ["delegate_id"], unique=False)
    op.add_column("users", sa.Column("relay_key", sa.String(length=330), nullable=True))
    op.create_index(op.f("ix_users_relay_key"), "users", ["relay_key"], unique=False)
    _fill_relay_keys(op.get_bind())
    _undeliverable_list(op.get_bind())


def _fill_relay_keys(connection: sa.Connection) -> None:
    query = sa.text("SELECT id, relay_address FROM users WHERE relay_address <> ''")
    rows = [{"id": id, "key": _key_of(address)} for id, address in connection.execute(query).all()]
    if rows:
        connection.execute(sa.text("UPDATE users SET relay_key = :key WHERE id = :id"), rows)


def _undeliverable_list(connection: sa.Connection) -> None:
    """A directory whose administrator uses the alias for something else keeps that."""
    identity = connection.execute(sa.text("SELECT domain FROM identity")).one_or_none()
    partition = connection.execute(sa.text("SELECT id FROM partitions WHERE name_key = 'default'")).scalar()
    taken = sa.text("SELECT id FROM entries WHERE alias_key = :alias")
    address = f"{ALIAS}@{identity.domain}" if identity is not None else ""
    known = sa.text("SELECT owner_id FROM addresses WHERE key = :key")
    if (
        identity is None  # a new directory, which is founded after this
        or partition is None
        or connection.execute(taken, {"alias": ALIAS}).scalar()
        or connection.execute(known, {"key": _key_of(address)}).scalar()
    ):
        return
    query = sa.text("SELECT id FROM entries WHERE alias_key = :alias AND kind = 'list'")
    id = connection.execute(query, {"alias": OLD_ALIAS}).scalar()
    if id is not None:
        connection.execute(
            sa.text("UPDATE entries SET alias = :alias, alias_key = :alias WHERE id = :id"), {"alias": ALIAS, "id": id}
        )
        connection.execute(
            sa.text("UPDATE addresses SET kind = 'former' WHERE owner_id = :id AND kind = 'primary'"), {"id": id}
        )
    else:
        id = base64.b32hexencode(secrets.token_bytes(12)).decode("ascii").rstrip("=").lower()
        connection.execute(
            sa.text(
                "INSERT INTO entries (id, kind, alias, alias_key, display_name, partition_id) "
                "VALUES (:id, 'list', :alias, :alias, :name, :partition)"
            ),
            {"id": id, "alias": ALIAS, "name": NAME, "partition": partition},
        )
        connection.execute(
            sa.text("INSERT INTO lists (id, allow_contacts, accept_foreign) VALUES (:id, :no, :no)"),
            {"id": id, "no": False},
        )
    connection.execute(
        sa.text("INSERT INTO addresses (key, address, owner_id, kind) VALUES (:key, :address, :id, 'primary')"),
        {"key": _key_of(address), "address": address, "id": id},
    )
    _log(connection, id)


def _log(connection: sa.Connection, id: str) -> None:
    usn = connection.execute(sa.text("SELECT value FROM counters WHERE name = 'usn'")).scalar_one() + 1
    connection.execute(
        sa.text(
            "INSERT INTO changes (usn, kind, id, what, detail, who, at) "
            "VALUES (:usn, 'list', :id, 'changed', :alias, 'upgrade', :at)"
        ),
        {"usn": usn, "id": id, "alias": ALIAS, "at": time.time()},
    )
    connection.execute(sa.text("UPDATE counters SET value = :usn WHERE name = 'usn'"), {"usn": usn})


def _key_of(address: str) -> str:
    """As the program of this version makes keys; a migration does not follow it when it changes."""
    if address.isascii():
        return address.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", address).casefold())


def downgrade() -> None:
    op.drop_index(op.f("ix_users_relay_key"), "users")
    op.drop_column("users", "relay_key")
    op.drop_table("template_delegates")
    op.drop_index(op.f("ix_user_templates_home_id"), "user_templates")
    with op.batch_alter_table("user_templates") as batch:
        for name in ("home_id", "last_name", "first_name"):
            batch.drop_column(name)
