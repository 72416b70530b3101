"""Looks up many leases: rate limit, batches, the gRPC and the fast reader."""
