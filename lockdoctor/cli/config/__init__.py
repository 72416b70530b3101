"""Flags, environment and lockdoctor.toml, and their order of precedence."""
