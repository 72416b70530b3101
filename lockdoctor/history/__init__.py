"""
Store runs in one SQLite file, and read them back.

No other package imports sqlite3.
"""
