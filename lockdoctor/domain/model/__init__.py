"""The values that all else works on: keys, locks, leases, readings, actions, writes."""
