"""The report and its parts, as data."""
