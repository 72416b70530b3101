"""Parts shared by the pages: layout, locks, the wait-for graph, the TTL chart."""
