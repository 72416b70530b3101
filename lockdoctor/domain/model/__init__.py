"""The values that all else uses: keys, locks, leases, readings, actions, writes."""
