"""SQL of the directory: schema, queries, migrations. Nothing outside this room writes SQL for it."""
