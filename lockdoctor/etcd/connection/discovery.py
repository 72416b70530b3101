"""Finds a cluster's endpoints by the DNS SRV records of a domain, as etcdctl does."""

from __future__ import annotations

from lockdoctor.errors import ClusterUnreachableError, ConfigError
from lockdoctor.etcd.connection.errors import one_line

SERVICES = (("https", "etcd-client-ssl"), ("http", "etcd-client"))
"""Schemes with the names of their records. Source: etcd's client/pkg/srv/srv.go."""


def discover(domain: str, name: str = "") -> tuple[str, ...]:
    """
    Return the endpoints of a domain as URLs, those with TLS first.

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
            " not installed. Install it with: pip install 'lockdoctor[srv]'"
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
