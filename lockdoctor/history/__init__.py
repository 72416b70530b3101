"""What runs leave for those after them, in one SQLite file; the only importer of sqlite3."""
