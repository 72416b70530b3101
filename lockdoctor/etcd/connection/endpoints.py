"""Endpoints in etcdctl's forms: URLs, or bare host:port."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from lockdoctor.errors import ConfigError

DEFAULT_PORT = 2379


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address at which one member answers its clients."""

    text: str
    """The text as the user wrote it."""
    host: str
    """A name or an address; IPv6 without brackets."""
    port: int
    uses_tls: bool

    @property
    def target(self) -> str:
        """Return the endpoint in gRPC's form."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"dns:///{host}:{self.port}"

    def with_scheme(self, scheme: str) -> str:
        """Return the endpoint as a URL with this scheme."""
        return f"{scheme}://{self.target.removeprefix('dns:///')}"


def parse_endpoint(text: str, *, bare_uses_tls: bool) -> Endpoint:
    """
    Parse an endpoint; without a port it gets etcd's own, 2379.

    Args:
        text: `http://host:port`, `https://host:port`, `host:port` or `[::1]:2379`.
        bare_uses_tls: Whether an endpoint without a scheme uses TLS. With etcdctl it does where
            TLS files are given.

    Raises:
        ConfigError: It has another form. A password in it is not repeated.
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
