"""The settings of a TLS connection, with its PEM files checked before use."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lockdoctor.errors import ConfigError

PathName: TypeAlias = str | os.PathLike[str]

SYSTEM_ROOTS = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""
The systems' files of trusted certificates; gRPC's default is its own list.

Source: Go's crypto/x509/root_linux.go, since etcdctl trusts these.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """The trusted certificates, and the client's own."""

    cacert: PathName | None = None
    """The file of trusted signers; None trusts the system's certificates."""
    cert: PathName | None = None
    key: PathName | None = None
    server_name: str | None = None
    """The name that the server's certificate must have; None: the endpoint's host."""
    is_verified: bool = True
    """False accepts any certificate, as etcdctl does with --insecure-skip-tls-verify."""
    is_demanded: bool = False
    """Whether an endpoint without a scheme uses TLS, even without a TLS file."""

    @property
    def is_given(self) -> bool:
        """
        Return whether an endpoint without a scheme uses TLS.

        Source: newTLSConfig in etcd's client/v3/config.go, 3.6.
        """
        files = self.cacert or self.cert or self.key
        return bool(files or self.server_name or self.is_demanded or not self.is_verified)

    def name_of(self, host: str) -> str:
        """Return the name that the certificate of this host must have."""
        return self.server_name or host

    def roots(self) -> bytes | None:
        """
        Read the trusted certificates; None if the system has no file of them.

        Raises:
            ConfigError: The file cannot be read.
        """
        if self.cacert is not None:
            return _read(self.cacert, "CA certificate")
        default = ssl.get_default_verify_paths().cafile
        found = next((p for p in (default, *SYSTEM_ROOTS) if p and os.access(p, os.R_OK)), None)
        return Path(found).read_bytes() if found else None

    def client_pair(self) -> tuple[bytes, bytes] | tuple[None, None]:
        """
        Read the client certificate and its key.

        Raises:
            ConfigError: One of them is missing, or cannot be read.
        """
        if self.cert is None and self.key is None:
            return None, None
        if self.cert is None or self.key is None:
            raise ConfigError("A client certificate needs its key. Give both --cert and --key.")
        return _read(self.cert, "client certificate"), _read(self.key, "client key")

    def context(self) -> ssl.SSLContext:
        """
        Build the context for Python's ssl module, which also checks the files.

        Raises:
            ConfigError: A file cannot be read, or has invalid content.
        """
        context = ssl.create_default_context()
        # Python 3.13 has stricter checks for certificates than gRPC and Go.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        roots = self.roots()
        if roots is not None:
            self._load_roots(context, roots)
        if self.client_pair() != (None, None):
            self._load_pair(context)
        if not self.is_verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _load_roots(self, context: ssl.SSLContext, roots: bytes) -> None:
        try:
            context.load_verify_locations(cadata=roots.decode("utf-8", errors="replace"))
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(
                f"The CA certificate {self.cacert} has no certificates in PEM form. Check --cacert."
            ) from error

    def _load_pair(self, context: ssl.SSLContext) -> None:
        try:
            # Without a password function, OpenSSL would ask for an encrypted key's password.
            context.load_cert_chain(str(self.cert), str(self.key), password=lambda: b"")
        except ssl.SSLError as error:
            raise ConfigError(
                f"{self.cert} and {self.key} are not a certificate and its unencrypted key in "
                "PEM form. Check --cert and --key."
            ) from error


def _read(file: PathName, what: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"Cannot read the {what} {file}: {error.strerror}. Check its option."
        ) from error
