"""Who waits for whom: the wait-for graph, its cycles, and the tree of what is blocked."""
