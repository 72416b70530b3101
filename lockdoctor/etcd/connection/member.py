"""One endpoint: its channel, and etcd's services on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import grpc.aio

from lockdoctor.etcd.connection.endpoints import Endpoint
from lockdoctor.etcd.connection.tls import TlsFiles
from lockdoctor.etcd.connection.tls_relay import Relay
from lockdoctor.etcd.protos import stubs

Options: TypeAlias = "list[tuple[str, int | str]]"
"""Of a channel, by gRPC's names."""

MIN_KEEPALIVE_TIME_S = 10.0
"""Of etcdctl as well: gRPC for Go raises anything less. Source: grpc-go's dialoptions.go."""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """When a silent connection is pinged, and how long the answer may take."""

    time_s: float
    timeout_s: float

    def options(self) -> Options:
        """Return the options of a channel."""
        return [
            ("grpc.keepalive_time_ms", int(max(self.time_s, MIN_KEEPALIVE_TIME_S) * 1000)),
            ("grpc.keepalive_timeout_ms", int(self.timeout_s * 1000)),
            # gRPC times each ping by this instead, with a minute as the default.
            ("grpc.http2.ping_timeout_ms", int(self.timeout_s * 1000)),
            # Otherwise gRPC stops after two pings, and a watch is silent for long.
            ("grpc.http2.max_pings_without_data", 0),
        ]


class Member:
    """The channel to one endpoint, and etcd's services on it."""

    def __init__(
        self,
        endpoint: Endpoint,
        tls: TlsFiles,
        dial_timeout_s: float,
        keepalive: KeepAlive | None = None,
    ) -> None:
        """
        Open the channel; it connects with its first call, and again whenever it must.

        Raises:
            ConfigError: A TLS file cannot be used.
        """
        self.endpoint = endpoint
        self.tls = tls
        self.dial_timeout_s = dial_timeout_s
        skips = endpoint.uses_tls and not tls.is_verified
        self._relay = Relay(endpoint, tls) if skips else None
        options = _options(dial_timeout_s) + (keepalive.options() if keepalive else [])
        self.channel = _channel(endpoint, tls, options, self._relay)
        self.kv = stubs.KVStub(self.channel)
        self.lease = stubs.LeaseStub(self.channel)
        self.watch = stubs.WatchStub(self.channel)
        self.auth = stubs.AuthStub(self.channel)
        self.cluster = stubs.ClusterStub(self.channel)
        self.maintenance = stubs.MaintenanceStub(self.channel)
        self.shows_status = True
        """False once it has denied its status to this user."""

    async def close(self) -> None:
        """Close the channel."""
        await self.channel.close()
        if self._relay is not None:
            await self._relay.close()


def _channel(endpoint: Endpoint, tls: TlsFiles, options: Options, relay: Relay | None) -> Any:
    if relay is not None:
        authority = ("grpc.default_authority", endpoint.target.removeprefix("dns:///"))
        return grpc.aio.insecure_channel(relay.target, options=[*options, authority])
    if not endpoint.uses_tls:
        return grpc.aio.insecure_channel(endpoint.target, options=options)
    tls.context()  # says what is wrong with the files, which gRPC would not
    cert, key = tls.client_pair()
    credentials = grpc.ssl_channel_credentials(tls.roots(), key, cert)
    if tls.server_name is not None:
        options = [*options, ("grpc.ssl_target_name_override", tls.server_name)]
    return grpc.aio.secure_channel(endpoint.target, credentials, options=options)


def _options(dial_timeout_s: float) -> Options:
    return [
        # A list of 350,000 leases has more than gRPC's 4 MiB.
        ("grpc.max_receive_message_length", -1),
        # etcd is asked directly, never through a proxy that the environment names.
        ("grpc.enable_http_proxy", 0),
        ("grpc.use_local_subchannel_pool", 1),
        # A member that comes back is to be found within a call's time-out.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", int(dial_timeout_s * 1000)),
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]
