"""Access to etcd: the only part that imports etcd3 and grpc."""

import os

# gRPC's core writes handshake failures to stderr, less clearly than lockdoctor's errors.
# gRPC reads this variable when it is loaded.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
