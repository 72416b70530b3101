"""The demo: a temporary etcd with locks that are leaked on purpose."""
