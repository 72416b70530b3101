"""What processes and etcd's counters show, compared with the report."""
