"""The wait-for graph of sessions, its cycles, and the tree of blocked locks."""
