"""The SQLite file: paths, migrations, queries, columns."""
