"""How alembic runs our migrations: on the connection that `Database.upgrade` hands in, in its transaction."""

from alembic import context

from unitymail.directory.sql.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
