"""Limits per prefix, and durations as people write them."""
