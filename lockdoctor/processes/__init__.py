"""What others than etcd's own interface can tell: processes that take locks, etcd's metrics."""
