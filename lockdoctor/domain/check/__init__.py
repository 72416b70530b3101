"""The health check: status, metrics, ranges, accepted findings."""
