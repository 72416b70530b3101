"""Endpoints as etcdctl takes them: URLs, or bare host:port."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from lockdoctor.errors import ConfigError

DEFAULT_PORT = 2379


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one member answers its clients."""

    text: str
    """As the person wrote it."""
    host: str
    """A name or an address; IPv6 without brackets."""
    port: int
    uses_tls: bool

    @property
    def target(self) -> str:
        """The endpoint as gRPC takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"dns:///{host}:{self.port}"

    def with_scheme(self, scheme: str) -> str:
        """Write the endpoint as a URL of this scheme."""
        return f"{scheme}://{self.target.removeprefix('dns:///')}"


def parse_endpoint(text: str, *, bare_uses_tls: bool) -> Endpoint:
    """
    Take an endpoint apart; without a port it is etcd's own, 2379.

    Args:
        text: `http://host:port`, `https://host:port`, `host:port` or `[::1]:2379`.
        bare_uses_tls: What an endpoint without a scheme means: etcdctl speaks TLS to it where
            TLS files are given.

    Raises:
        ConfigError: It is none of these. A password in it is not repeated.
    """
    if "@" in text:
        raise ConfigError(
            "An endpoint contains '@': a user and a password do not belong there. Give them with"
            " --user and --password-file."
        )
    scheme, has_scheme, _ = text.partition("://")
    url = text if has_scheme else f"//{text}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        host, port = None, 0
    if not host or parts.path.strip("/") or (has_scheme and scheme not in ("http", "https")):
        raise ConfigError(f"{text!r} is not an endpoint; write it like https://10.0.0.1:2379")
    return Endpoint(text, host, port, scheme == "https" if has_scheme else bare_uses_tls)
