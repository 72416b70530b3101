"""A DNS server on a loopback port, which knows a few SRV records."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset

Records = Mapping[str, Sequence[str]]
"""Names without their final dot, and records as a zone file has them."""


@contextmanager
def dns_server(records: Records) -> Iterator[list[str]]:
    """Answer as the system's own server, and list what was asked for."""
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        is_over = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, records, asked, is_over))
        thread.start()
        before = dns.resolver.default_resolver
        resolver = dns.resolver.Resolver(configure=False)
        host, resolver.port = server.getsockname()
        resolver.nameservers = [host]
        dns.resolver.default_resolver = resolver
        try:
            yield asked
        finally:
            dns.resolver.default_resolver = before
            is_over.set()
            thread.join()


def _serve(
    server: socket.socket, records: Records, asked: list[str], is_over: threading.Event
) -> None:
    while not is_over.is_set():
        try:
            wire, client = server.recvfrom(4096)
        except TimeoutError:
            continue
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        asked.append(name)
        answer = dns.message.make_response(query)
        if name in records:
            found = dns.rrset.from_text_list(question.name, 60, "IN", "SRV", records[name])
            answer.answer.append(found)
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(answer.to_wire(), client)
