"""Flags, environment and lockdoctor.toml, and which of them wins."""
