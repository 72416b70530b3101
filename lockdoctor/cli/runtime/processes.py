"""Creates the additional data sources that the options name."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from lockdoctor.cli.options.processes import ProcessFlags
from lockdoctor.errors import ConfigError
from lockdoctor.etcd.connection.endpoints import parse_endpoint
from lockdoctor.etcd.connection.settings import ConnectionSettings
from lockdoctor.etcd.connection.tls import TlsFiles
from lockdoctor.ports import Clock, ProcessSource
from lockdoctor.processes.http_client import Address, parse_address
from lockdoctor.processes.metrics_page import MemberMetrics
from lockdoctor.processes.pprof import PprofProcesses, SavedProcesses, parse_target

METRICS = "/metrics"


def witnesses(
    flags: ProcessFlags, settings: ConnectionSettings, clock: Clock, *, watches: bool
) -> tuple[ProcessSource, ...]:
    """
    Return the additional data sources of a run.

    Args:
        watches: Whether the run has a window; without one, counters cannot be compared.

    Raises:
        ConfigError: A URL is invalid, a file cannot be read, or two options contradict each other.
    """
    if flags.no_metrics and flags.metrics:
        raise ConfigError("--metrics and --no-metrics exclude each other. Give one of them.")
    return (
        *_processes(flags, settings, clock),
        *(_metrics(flags, settings, clock) if watches and not flags.no_metrics else ()),
    )


def _processes(
    flags: ProcessFlags, settings: ConnectionSettings, clock: Clock
) -> Iterator[ProcessSource]:
    targets = list(map(parse_target, flags.pprof))
    names = [target.name for target in targets] + [file.name for file in flags.pprof_file]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"Two processes have the name {twice}. Name them, like `--pprof a=URL`.")
    if targets:
        with_tls = any(target.address.url.startswith("https:") for target in targets)
        # The client certificate and the user are for etcd only.
        context = TlsFiles(cacert=settings.cacert).context() if with_tls else None
        yield PprofProcesses(targets, context, clock)
    if flags.pprof_file:
        yield SavedProcesses(flags.pprof_file)


def _metrics(
    flags: ProcessFlags, settings: ConnectionSettings, clock: Clock
) -> Iterator[ProcessSource]:
    pages = [_page(parse_address(text, "--metrics")) for text in flags.metrics]
    yield MemberMetrics(
        pages or [_page(each) for each in _endpoints(settings)],
        settings.tls.context,
        clock,
        are_named=bool(pages),
    )


def _page(address: Address) -> Address:
    return address if urlsplit(address.url).path.strip("/") else address.below(METRICS)


def _endpoints(settings: ConnectionSettings) -> Iterator[Address]:
    for text in settings.endpoints:
        endpoint = parse_endpoint(text, bare_uses_tls=settings.tls.is_given)
        url = endpoint.with_scheme("https" if endpoint.uses_tls else "http")
        yield parse_address(url, "--endpoints")
