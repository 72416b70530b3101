"""How client libraries store a lock as keys, one file for each family of clients."""
