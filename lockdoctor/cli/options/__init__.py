"""Options that commands share, one group per file."""
