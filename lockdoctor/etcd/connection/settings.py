"""How to reach a cluster."""

from __future__ import annotations

from dataclasses import dataclass, field

from lockdoctor.etcd.connection.auth import GivenToken
from lockdoctor.etcd.connection.identity import ClusterIdentity
from lockdoctor.etcd.connection.member import KeepAlive
from lockdoctor.etcd.connection.tls import PathName, TlsFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """How to reach a cluster, in etcdctl's words."""

    endpoints: tuple[str, ...] = ("127.0.0.1:2379",)
    cacert: PathName | None = None
    cert: PathName | None = None
    key: PathName | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: GivenToken | None = None
    """Sent instead of a token from a login with user and password."""
    server_name: str | None = None
    """The name that the members' certificates must have; None: each endpoint's host."""
    insecure_skip_tls_verify: bool = False
    insecure_transport: bool = True
    """False uses TLS for endpoints without a scheme, even without a TLS file."""
    keepalive_time_s: float | None = None
    """Seconds of silence after which a connection is pinged; None: never."""
    keepalive_timeout_s: float = 6.0
    dial_timeout_s: float = 2.0
    """Maximum seconds to wait for one endpoint when a member is chosen."""
    command_timeout_s: float = 8.0
    """Maximum seconds for one read, with all its retries."""
    identity: ClusterIdentity = field(default_factory=ClusterIdentity, repr=False, compare=False)
    """The cluster of the run; every connection with these settings shares it."""

    @property
    def tls(self) -> TlsFiles:
        """Return the TLS files."""
        return TlsFiles(
            cacert=self.cacert,
            cert=self.cert,
            key=self.key,
            server_name=self.server_name,
            is_verified=not self.insecure_skip_tls_verify,
            is_demanded=not self.insecure_transport,
        )

    @property
    def keepalive(self) -> KeepAlive | None:
        """Return when silent connections are pinged."""
        if not self.keepalive_time_s:
            return None
        return KeepAlive(self.keepalive_time_s, self.keepalive_timeout_s)
