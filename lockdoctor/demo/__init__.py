"""An etcd of its own, and locks leaked on purpose."""
