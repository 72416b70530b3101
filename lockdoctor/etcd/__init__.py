"""Reading etcd: the only part that imports etcd3 and grpc."""

import os

# gRPC's core writes handshake failures to stderr; ours say them better. Read when it is loaded.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
