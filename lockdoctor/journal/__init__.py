"""Writes down what lockdoctor does to clusters, and reads it again."""
