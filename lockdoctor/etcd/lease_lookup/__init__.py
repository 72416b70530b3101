"""Many look-ups of leases: rate limit, batches, the gRPC reader and the fast reader."""
