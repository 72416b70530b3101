"""What the pages share: layout, locks, the wait-for graph, the TTL chart."""
