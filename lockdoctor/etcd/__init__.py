"""Reading etcd: the only part that imports etcd3 and grpc."""
