"""Options that commands share, one group in each file."""
