"""Turns reports into text; the only package that uses rich and humanize."""
