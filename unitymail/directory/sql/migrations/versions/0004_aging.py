"""Whether old messages of a user's mailbox go by the site's aging rules: yes, for all who are there."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("users", "user_templates")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("age_messages", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "age_messages")
