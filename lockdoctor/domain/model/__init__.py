"""Keys, locks, leases, readings, actions and answers to writes: the values that all else works on."""
