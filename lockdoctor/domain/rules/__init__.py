"""The verdicts: one file for each family, and the judges that ask them."""
