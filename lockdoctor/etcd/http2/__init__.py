"""The fast transport: HTTP/2 for many small requests on one connection."""
