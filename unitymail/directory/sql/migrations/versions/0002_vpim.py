"""What VPIM needs besides: three switches of a location, and spoken names."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("create_without_name", "send_spoken_name", "voice_only"):
        op.add_column("locations", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "spoken_names",
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("audio", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["entries.id"], name=op.f("fk_spoken_names_owner_id_entries"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_spoken_names")),
    )


def downgrade() -> None:
    op.drop_table("spoken_names")
    for name in ("voice_only", "send_spoken_name", "create_without_name"):
        op.drop_column("locations", name)
