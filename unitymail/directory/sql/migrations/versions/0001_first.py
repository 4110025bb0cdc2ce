"""The first directory: every table of `sql/schema`."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_rules",
        sa.Column("pattern", sa.String(length=80), nullable=False),
        sa.Column("allow", sa.Boolean(), nullable=False),
        sa.Column("legacy", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pattern", name=op.f("pk_access_rules")),
    )
    op.create_table(
        "authentication_rules",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("max_failures", sa.BigInteger(), nullable=False),
        sa.Column("reset_minutes", sa.BigInteger(), nullable=False),
        sa.Column("lock_minutes", sa.BigInteger(), nullable=False),
        sa.Column("min_length", sa.BigInteger(), nullable=False),
        sa.Column("history", sa.BigInteger(), nullable=False),
        sa.Column("min_age_minutes", sa.BigInteger(), nullable=False),
        sa.Column("max_age_days", sa.BigInteger(), nullable=False),
        sa.Column("no_trivial", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authentication_rules")),
        sa.UniqueConstraint("name_key", name=op.f("uq_authentication_rules_name_key")),
    )
    op.create_table(
        "changes",
        sa.Column("usn", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), server_default="", nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("what", sa.String(length=20), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("who", sa.String(length=255), server_default="", nullable=False),
        sa.Column("at", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("usn", name=op.f("pk_changes")),
    )
    op.create_table(
        "classes_of_service",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("access_imap", sa.Boolean(), nullable=False),
        sa.Column("imap_bodies", sa.String(length=20), server_default="", nullable=False),
        sa.Column("secure", sa.String(length=20), server_default="", nullable=False),
        sa.Column("secure_imap", sa.Boolean(), nullable=False),
        sa.Column("send_to_lists", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classes_of_service")),
        sa.UniqueConstraint("name_key", name=op.f("uq_classes_of_service_name_key")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "credentials",
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.String(length=255), server_default="", nullable=False),
        sa.Column("scram_salt", sa.LargeBinary(), nullable=True),
        sa.Column("scram_iterations", sa.Integer(), nullable=True),
        sa.Column("scram_stored_key", sa.LargeBinary(), nullable=True),
        sa.Column("scram_server_key", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.Float(), server_default="0", nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("first_failure", sa.Float(), server_default="0", nullable=False),
        sa.Column("last_failure", sa.Float(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_credentials")),
    )
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("domain", sa.String(length=255), server_default="", nullable=False),
        sa.Column("host_name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("node_id", sa.String(length=40), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
    )
    op.create_table(
        "partitions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partitions")),
        sa.UniqueConstraint("name_key", name=op.f("uq_partitions_name_key")),
    )
    op.create_table(
        "password_history",
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("password_hash", sa.String(length=255), server_default="", nullable=False),
        sa.Column("changed_at", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "version", name=op.f("pk_password_history")),
    )
    op.create_table(
        "scopes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scopes")),
        sa.UniqueConstraint("name_key", name=op.f("uq_scopes_name_key")),
    )
    op.create_table(
        "site_settings",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_site_settings")),
    )
    op.create_table(
        "tombstones",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("usn", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_tombstones")),
    )
    op.create_index(op.f("ix_tombstones_usn"), "tombstones", ["usn"], unique=False)
    op.create_table(
        "entries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), server_default="", nullable=False),
        sa.Column("alias", sa.String(length=64), server_default="", nullable=False),
        sa.Column("alias_key", sa.String(length=128), nullable=False),
        sa.Column("display_name", sa.String(length=64), server_default="", nullable=False),
        sa.Column("partition_id", sa.String(length=40), nullable=False),
        sa.Column("extension", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["partition_id"], ["partitions.id"], name=op.f("fk_entries_partition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("alias_key", name=op.f("uq_entries_alias_key")),
        sa.UniqueConstraint("partition_id", "extension", name=op.f("uq_entries_partition_id_extension")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_entries_partition_id"), "entries", ["partition_id"], unique=False)
    op.create_table(
        "locations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=10), server_default="", nullable=False),
        sa.Column("domain", sa.String(length=255), server_default="", nullable=False),
        sa.Column("host", sa.String(length=255), server_default="", nullable=False),
        sa.Column("port", sa.BigInteger(), nullable=False),
        sa.Column("web_port", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), server_default="", nullable=False),
        sa.Column("dial_id", sa.String(length=40), server_default="", nullable=False),
        sa.Column("remote_prefix", sa.String(length=40), server_default="", nullable=False),
        sa.Column("local_prefix", sa.String(length=40), server_default="", nullable=False),
        sa.Column("partition_id", sa.String(length=40), nullable=True),
        sa.Column("scope_id", sa.String(length=40), nullable=True),
        sa.Column("home_id", sa.String(length=40), nullable=True),
        sa.Column("blind_addressing", sa.Boolean(), nullable=False),
        sa.Column("allow_secure", sa.Boolean(), nullable=False),
        sa.Column("fax", sa.Boolean(), nullable=False),
        sa.Column("swap_code_words", sa.Boolean(), nullable=False),
        sa.Column("audio", sa.String(length=20), server_default="", nullable=False),
        sa.Column("create_contacts", sa.Boolean(), nullable=False),
        sa.Column("modify_contacts", sa.String(length=20), server_default="", nullable=False),
        sa.Column("delete_contacts", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["home_id"], ["locations.id"], name=op.f("fk_locations_home_id")),
        sa.ForeignKeyConstraint(["partition_id"], ["partitions.id"], name=op.f("fk_locations_partition_id")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_locations_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("name_key", name=op.f("uq_locations_name_key")),
    )
    op.create_index(op.f("ix_locations_home_id"), "locations", ["home_id"], unique=False)
    op.create_index(op.f("ix_locations_partition_id"), "locations", ["partition_id"], unique=False)
    op.create_index(op.f("ix_locations_scope_id"), "locations", ["scope_id"], unique=False)
    op.create_table(
        "scope_partitions",
        sa.Column("scope_id", sa.String(length=40), nullable=False),
        sa.Column("partition_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["partition_id"], ["partitions.id"], name=op.f("fk_scope_partitions_partition_id")),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("fk_scope_partitions_scope_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", "partition_id", name=op.f("pk_scope_partitions")),
    )
    op.create_index(op.f("ix_scope_partitions_partition_id"), "scope_partitions", ["partition_id"], unique=False)
    op.create_table(
        "user_templates",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("display_name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("corporate_address", sa.String(length=320), server_default="", nullable=False),
        sa.Column("cos_id", sa.String(length=40), nullable=True),
        sa.Column("partition_id", sa.String(length=40), nullable=True),
        sa.Column("scope_id", sa.String(length=40), nullable=True),
        sa.Column("action_voice", sa.String(length=20), server_default="", nullable=False),
        sa.Column("action_email", sa.String(length=20), server_default="", nullable=False),
        sa.Column("action_fax", sa.String(length=20), server_default="", nullable=False),
        sa.Column("action_receipt", sa.String(length=20), server_default="", nullable=False),
        sa.Column("relay_address", sa.String(length=320), server_default="", nullable=False),
        sa.Column("quota_warning", sa.BigInteger(), nullable=False),
        sa.Column("quota_send", sa.BigInteger(), nullable=False),
        sa.Column("quota_receive", sa.BigInteger(), nullable=False),
        sa.Column("route_ndr", sa.Boolean(), nullable=False),
        sa.Column("hidden_capabilities", sa.Text(), server_default="", nullable=False),
        sa.Column("proxies", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["cos_id"], ["classes_of_service.id"], name=op.f("fk_user_templates_cos_id")),
        sa.ForeignKeyConstraint(["partition_id"], ["partitions.id"], name=op.f("fk_user_templates_partition_id")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_user_templates_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_templates")),
        sa.UniqueConstraint("name_key", name=op.f("uq_user_templates_name_key")),
    )
    op.create_index(op.f("ix_user_templates_cos_id"), "user_templates", ["cos_id"], unique=False)
    op.create_index(op.f("ix_user_templates_partition_id"), "user_templates", ["partition_id"], unique=False)
    op.create_index(op.f("ix_user_templates_scope_id"), "user_templates", ["scope_id"], unique=False)
    op.create_table(
        "addresses",
        sa.Column("key", sa.String(length=330), nullable=False),
        sa.Column("address", sa.String(length=330), server_default="", nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["entries.id"], name=op.f("fk_addresses_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_addresses")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_addresses_owner_id", "addresses", ["owner_id"], unique=False)
    op.create_table(
        "contacts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("first_name", sa.String(length=64), server_default="", nullable=False),
        sa.Column("last_name", sa.String(length=64), server_default="", nullable=False),
        sa.Column("location_id", sa.String(length=40), nullable=True),
        sa.Column("mailbox_number", sa.String(length=256), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["id"], ["entries.id"], name=op.f("fk_contacts_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_contacts_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_contacts_location_id"), "contacts", ["location_id"], unique=False)
    op.create_table(
        "delegates",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("delegate_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["delegate_id"], ["entries.id"], name=op.f("fk_delegates_delegate_id")),
        sa.ForeignKeyConstraint(["user_id"], ["entries.id"], name=op.f("fk_delegates_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "delegate_id", name=op.f("pk_delegates")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_delegates_delegate_id"), "delegates", ["delegate_id"], unique=False)
    op.create_table(
        "lists",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("allow_contacts", sa.Boolean(), nullable=False),
        sa.Column("accept_foreign", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["entries.id"], name=op.f("fk_lists_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lists")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "members",
        sa.Column("list_id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["entries.id"], name=op.f("fk_members_list_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["member_id"], ["entries.id"], name=op.f("fk_members_member_id")),
        sa.PrimaryKeyConstraint("list_id", "member_id", name=op.f("pk_members")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_members_member_id"), "members", ["member_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("first_name", sa.String(length=64), server_default="", nullable=False),
        sa.Column("last_name", sa.String(length=64), server_default="", nullable=False),
        sa.Column("corporate_address", sa.String(length=320), server_default="", nullable=False),
        sa.Column("cos_id", sa.String(length=40), nullable=False),
        sa.Column("scope_id", sa.String(length=40), nullable=False),
        sa.Column("home_id", sa.String(length=40), nullable=True),
        sa.Column("action_voice", sa.String(length=20), server_default="", nullable=False),
        sa.Column("action_email", sa.String(length=20), server_default="", nullable=False),
        sa.Column("action_fax", sa.String(length=20), server_default="", nullable=False),
        sa.Column("action_receipt", sa.String(length=20), server_default="", nullable=False),
        sa.Column("relay_address", sa.String(length=320), server_default="", nullable=False),
        sa.Column("quota_warning", sa.BigInteger(), nullable=False),
        sa.Column("quota_send", sa.BigInteger(), nullable=False),
        sa.Column("quota_receive", sa.BigInteger(), nullable=False),
        sa.Column("route_ndr", sa.Boolean(), nullable=False),
        sa.Column("hidden_capabilities", sa.Text(), server_default="", nullable=False),
        sa.Column("created", sa.Float(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["cos_id"], ["classes_of_service.id"], name=op.f("fk_users_cos_id")),
        sa.ForeignKeyConstraint(["home_id"], ["locations.id"], name=op.f("fk_users_home_id")),
        sa.ForeignKeyConstraint(["id"], ["entries.id"], name=op.f("fk_users_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_users_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_users_cos_id"), "users", ["cos_id"], unique=False)
    op.create_index(op.f("ix_users_home_id"), "users", ["home_id"], unique=False)
    op.create_index(op.f("ix_users_scope_id"), "users", ["scope_id"], unique=False)
