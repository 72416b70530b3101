"""Connects, runs a workflow, and handles signals, terminal and questions."""
