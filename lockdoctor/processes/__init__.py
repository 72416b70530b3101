"""Additional data sources: processes that take locks, and etcd's metrics."""
