"""
Finds out with a plain socket why an endpoint does not answer as an etcd member.

gRPC reports "failed to connect" for a closed port, a wrong certificate and another protocol
alike. This module finds out which one it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

from lockdoctor.etcd.connection.call_log import logged_call
from lockdoctor.etcd.connection.endpoints import Endpoint
from lockdoctor.etcd.connection.errors import one_line
from lockdoctor.etcd.connection.tls import TlsFiles

MAX_BYTES = 4096
ALERT_TIMEOUT_S = 0.25
NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING")
REFUSED_CERTIFICATE = (
    *("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE"),
    *("CERTIFICATE_EXPIRED", "CERTIFICATE_UNKNOWN", "UNSUPPORTED_CERTIFICATE"),
)

NOT_YET_VALID, EXPIRED, SELF_SIGNED, WRONG_HOST, WRONG_ADDRESS = 9, 10, 18, 62, 64
"""
OpenSSL's reasons to distrust a certificate.

Source: X509_V_ERR_* in its x509_vfy.h.
"""

MAX_NAMES = 8
"""Maximum names of a certificate in a message."""


async def explain(endpoint: Endpoint, tls: TlsFiles, timeout_s: float, otherwise: str) -> str:
    """
    Return in a few words what is wrong at an endpoint.

    Args:
        endpoint: The endpoint that did not answer.
        tls: The trusted certificates and the client's own, for an endpoint with TLS.
        timeout_s: Maximum seconds for the diagnosis.
        otherwise: The text where the endpoint seems to be a sound etcd member.
    """
    try:
        return await asyncio.wait_for(_explain(endpoint, tls, otherwise), timeout_s)
    except (TimeoutError, asyncio.TimeoutError):
        return f"no answer within {timeout_s:g} s"
    except socket.gaierror:
        return f"the name {one_line(endpoint.host)} cannot be resolved"
    except ConnectionRefusedError:
        return "connection refused, nothing listens there"
    except OSError as error:
        return one_line(error.strerror or str(error))


async def _explain(endpoint: Endpoint, tls: TlsFiles, otherwise: str) -> str:
    if endpoint.uses_tls:
        return await _explain_tls(endpoint, tls, otherwise)
    answer = await _probe_without_tls(endpoint)
    if answer:
        return _what_answers(answer, otherwise)
    if await _speaks_tls(endpoint):
        return f"it speaks TLS: write {endpoint.with_scheme('https')}"
    return "it answers, but not as etcd does: is the port right?"


async def _explain_tls(endpoint: Endpoint, tls: TlsFiles, otherwise: str) -> str:
    try:
        answer = (await probe(endpoint, tls.context(), tls.name_of(endpoint.host))).answer
    except ssl.SSLCertVerificationError as error:
        return await _explain_certificate(endpoint, tls, error)
    except (ssl.SSLError, ConnectionResetError) as error:
        return await _explain_alert(endpoint, tls, getattr(error, "reason", None) or "")
    return _what_answers(answer, otherwise) if answer else otherwise


async def _explain_certificate(
    endpoint: Endpoint, tls: TlsFiles, error: ssl.SSLCertVerificationError
) -> str:
    """Return what is wrong with a member's certificate, and what to do."""
    code = error.verify_code
    if code in {WRONG_HOST, WRONG_ADDRESS}:
        return await _explain_name(endpoint, tls)
    if code == EXPIRED:
        return "its certificate, or its CA's, has expired: renew it, or correct this host's clock"
    if code == NOT_YET_VALID:
        return "its certificate is not valid yet: compare the clocks of both hosts"
    problem = f"its certificate is not trusted ({one_line(error.verify_message)})"
    if code == SELF_SIGNED:
        return f"{problem}: give the certificate itself with --cacert"
    if tls.cacert is None:
        return f"{problem}: give the CA that signed it with --cacert"
    return f"{problem}: {one_line(str(tls.cacert))} is not the CA that signed it, check --cacert"


async def _explain_name(endpoint: Endpoint, tls: TlsFiles) -> str:
    problem = f"its certificate is not for {one_line(tls.name_of(endpoint.host))}"
    try:
        names = await _certified_names(endpoint, tls)
    except OSError:  # the server wants a client certificate before it shows its own
        return f"{problem}: connect by a name in the certificate"
    listed = ", ".join(names[:MAX_NAMES]) + (" ..." if len(names) > MAX_NAMES else "")
    if not names:
        return f"{problem}: it has no subject alternative name, so issue it again with one"
    if tls.server_name is not None:
        return f"{problem}, which --insecure-discovery=false demands, but for {listed}"
    return f"{problem}: connect by a name in the certificate: {listed}"


async def _certified_names(endpoint: Endpoint, tls: TlsFiles) -> list[str]:
    """Read the names of a certificate that is trusted except for its name."""
    context = tls.context()
    context.check_hostname = False
    _, writer = await asyncio.open_connection(
        endpoint.host, endpoint.port, ssl=context, server_hostname=tls.name_of(endpoint.host)
    )
    certificate = writer.get_extra_info("peercert") or {}
    writer.transport.abort()
    return [one_line(name) for _, name in certificate.get("subjectAltName", ())]


async def _explain_alert(endpoint: Endpoint, tls: TlsFiles, reason: str) -> str:
    """Distinguish a server that wants another client certificate from one without TLS."""
    if any(part in reason for part in REFUSED_CERTIFICATE):
        if tls.cert is not None:
            return "it does not accept our client certificate: check --cert and --key"
        return "it demands a client certificate: give --cert and --key"
    if await _probe_without_tls(endpoint):
        return f"it speaks plain HTTP: write {endpoint.with_scheme('http')}"
    return (
        "it does not speak TLS"
        if reason in NOT_TLS
        else f"TLS failed ({one_line(reason) or 'reset'})"
    )


def _what_answers(answer: bytes, otherwise: str) -> str:
    if b"etcdserver" in answer:
        return otherwise
    if re.match(rb"HTTP/\d", answer):
        return "an HTTP server answers there, but not etcd: is the port right?"
    return "something answers there, but not etcd: is the port right?"


async def _probe_without_tls(endpoint: Endpoint) -> bytes:
    """
    Send a request without TLS.

    A server that waits for a handshake might close or reset the connection.
    """
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        return (await probe(endpoint, None)).answer
    return b""


class ProbeResponse(NamedTuple):
    """The response over a plain socket."""

    answer: bytes
    """The beginning of the response with its headers; empty without a response."""
    certificate: Mapping[str, Any] | None
    """The server's certificate, if it is trusted; see SSLSocket.getpeercert."""


async def probe(
    endpoint: Endpoint, context: ssl.SSLContext | None, server_name: str | None = None
) -> ProbeResponse:
    """
    Request etcd's version, which its client port serves over HTTP/1.1.

    Args:
        context: The TLS context; None is plain.
        server_name: The name that the certificate must have; None is the endpoint's host.
    """
    with logged_call("GET /version", endpoint):
        reader, writer = await asyncio.open_connection(
            endpoint.host,
            endpoint.port,
            ssl=context,
            server_hostname=(server_name or endpoint.host) if context else None,
        )
        try:
            if context is not None:
                await _wait_for_alert(reader)
            writer.write(b"GET /version HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n\r\n")
            return ProbeResponse(await _read(reader), writer.get_extra_info("peercert"))
        finally:
            writer.transport.abort()


async def _wait_for_alert(reader: asyncio.StreamReader) -> None:
    """
    Wait for the server to refuse the client certificate.

    TLS 1.3 does so after the handshake. A pending request would turn the refusal into a reset.
    """
    with contextlib.suppress(TimeoutError, asyncio.TimeoutError, asyncio.IncompleteReadError):
        # An etcd member sends no data before a request, so no answer is lost.
        await asyncio.wait_for(reader.readexactly(1), ALERT_TIMEOUT_S)


async def _read(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < MAX_BYTES and (more := await reader.read(MAX_BYTES)):
        answer += more
    return answer


async def _speaks_tls(endpoint: Endpoint) -> bool:
    """Return whether the endpoint completes a TLS handshake, without verification."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    try:
        await probe(endpoint, trusting)
    except (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError):
        return False
    except ssl.SSLError as error:
        return error.reason not in NOT_TLS
    return True
