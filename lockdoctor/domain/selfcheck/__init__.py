"""The self-check: its rules, and etcd's versions with their bugs."""
