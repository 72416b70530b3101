"""One endpoint: its channel, and etcd's services on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import grpc.aio

from lockdoctor.etcd.connection.call_log import logged_channel
from lockdoctor.etcd.connection.endpoints import Endpoint
from lockdoctor.etcd.connection.tls import TlsFiles
from lockdoctor.etcd.connection.tls_relay import Relay
from lockdoctor.etcd.protos import stubs

Options: TypeAlias = "list[tuple[str, int | str]]"
"""Options of a channel, by gRPC's names."""

MIN_KEEPALIVE_TIME_S = 10.0
"""
Minimum keep-alive time of etcdctl too. Source: grpc-go's dialoptions.go.

gRPC for Go raises a lower value to this one.
"""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The time after which a silent connection is pinged, and the maximum reply time."""

    time_s: float
    timeout_s: float

    def options(self) -> Options:
        """Return the keep-alive options of a channel."""
        return [
            ("grpc.keepalive_time_ms", int(max(self.time_s, MIN_KEEPALIVE_TIME_S) * 1000)),
            ("grpc.keepalive_timeout_ms", int(self.timeout_s * 1000)),
            # gRPC uses this limit for each ping; the default is 60 s.
            ("grpc.http2.ping_timeout_ms", int(self.timeout_s * 1000)),
            # Otherwise gRPC stops after two pings, and a watch can be silent for longer.
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
        Open the channel, which connects with its first call and reconnects.

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
        channel = logged_channel(self.channel, endpoint)
        self.kv = stubs.KVStub(channel)
        self.lease = stubs.LeaseStub(channel)
        self.watch = stubs.WatchStub(channel)
        self.auth = stubs.AuthStub(channel)
        self.cluster = stubs.ClusterStub(channel)
        self.maintenance = stubs.MaintenanceStub(channel)
        self.shows_status = True
        """False once the member has denied its status to this user."""

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
    tls.context()  # raises errors on the files, which gRPC would not
    cert, key = tls.client_pair()
    credentials = grpc.ssl_channel_credentials(tls.roots(), key, cert)
    if tls.server_name is not None:
        options = [*options, ("grpc.ssl_target_name_override", tls.server_name)]
    return grpc.aio.secure_channel(endpoint.target, credentials, options=options)


def _options(dial_timeout_s: float) -> Options:
    return [
        # A list of 350,000 leases exceeds gRPC's limit of 4 MiB.
        ("grpc.max_receive_message_length", -1),
        # etcd is called directly, never through a proxy from the environment.
        ("grpc.enable_http_proxy", 0),
        ("grpc.use_local_subchannel_pool", 1),
        # A restarted member must be found within a call's time-out.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", int(dial_timeout_s * 1000)),
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]
