"""Find leaked etcd v3 locks and leases, with the evidence for each conclusion."""

__version__ = "0.1.0"
