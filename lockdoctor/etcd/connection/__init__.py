"""The connection to a cluster: endpoints, members, TLS, tokens, errors."""
