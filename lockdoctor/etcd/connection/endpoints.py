"""Reads endpoints in etcdctl's forms: URLs, host:port, DNS SRV records."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from lockdoctor.errors import ClusterUnreachableError, ConfigError
from lockdoctor.etcd.connection.errors import one_line

DEFAULT_PORT = 2379

SERVICES = (("https", "etcd-client-ssl"), ("http", "etcd-client"))
"""Schemes with the names of their records. Source: etcd's client/pkg/srv/srv.go."""


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
            "An endpoint contains '@', but takes no user and password. Give them with"
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
        raise ConfigError(f"{text!r} is not an endpoint. Write it like https://10.0.0.1:2379.")
    return Endpoint(text, host, port, scheme == "https" if has_scheme else bare_uses_tls)


def discover(domain: str, name: str = "") -> tuple[str, ...]:
    """
    Return the endpoints of a domain's SRV records as URLs, those with TLS first.

    Args:
        domain: The domain of the records.
        name: The suffix of the service's name; empty without one.

    Raises:
        ConfigError: The package that reads SRV records is not installed.
        ClusterUnreachableError: There are no such records, or DNS does not answer.
    """
    try:
        from dns.exception import DNSException  # noqa: PLC0415  # an extra
        from dns.resolver import NXDOMAIN, NoAnswer, resolve  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "Cannot read SRV records for --discovery-srv or ETCDCTL_DISCOVERY_SRV: dnspython is"
            " not installed. Run: `pip install 'lockdoctor[srv]'`"
        ) from error
    suffix = f"-{name}" if name else ""
    endpoints: list[str] = []
    failures: list[str] = []
    for scheme, service in SERVICES:
        record = f"_{service}{suffix}._tcp.{domain}"
        try:
            answer = resolve(record, "SRV", search=True)
        except (NXDOMAIN, NoAnswer):
            failures.append(f"{record} does not exist")
        except DNSException as error:
            failures.append(f"{record}: {one_line(str(error))}")
        else:
            found = sorted(answer, key=lambda each: (each.priority, -each.weight, each.target))
            endpoints += (
                f"{scheme}://{each.target.to_text(omit_final_dot=True)}:{each.port}"
                for each in found
            )
    if not endpoints:
        raise ClusterUnreachableError(
            f"No endpoint found by SRV records: {'; '.join(failures)}. Check --discovery-srv and"
            " --discovery-srv-name."
        )
    return tuple(endpoints)
