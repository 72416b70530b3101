"""The steps of a scan: keys, look-ups of leases, the queue watch, processes."""
