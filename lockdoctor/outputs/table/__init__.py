"""Pages for people, one file for each command that prints one."""
