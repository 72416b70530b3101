"""The verdicts: one file for each family, and the modules that combine them."""
