"""The command line: parses it, runs a command, and returns an exit status."""
