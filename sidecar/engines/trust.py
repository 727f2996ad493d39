"""Whose certificates are trusted: those of the system's authorities, or of those that somebody names."""

import asyncio
import ssl
import sys
from os import environ
from pathlib import Path
from typing import Final

from sidecar.schema.errors import SidecarError

FILE_VARIABLE: Final = "SSL_CERT_FILE"
FOLDER_VARIABLE: Final = "SSL_CERT_DIR"

BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)
"""Where Linux distributions keep their authorities, for a Python that was built elsewhere."""


class Trust:
    """Makes the TLS context, once, in a thread: reading the authorities takes its time.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` stand in for the system's authorities; `ca_file` is trusted beside them.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None

    async def context(self) -> ssl.SSLContext:
        """Return the TLS context for all connections."""
        if self._context is None:
            made = await asyncio.to_thread(self._make)
            self._context = self._context or made
        return self._context

    def _make(self) -> ssl.SSLContext:
        try:
            context = _named(environ.get(FILE_VARIABLE), environ.get(FOLDER_VARIABLE)) or _of_the_system()
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
        except OSError:
            message = "The certificates of the trusted authorities could not be read."
            raise SidecarError("tls", message, hint=f"Check {self._sources()}.") from None
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _sources(self) -> str:
        own = [] if self._ca_file is None else [str(self._ca_file)]
        named = [name for name in (FILE_VARIABLE, FOLDER_VARIABLE) if environ.get(name)]
        return " and ".join([*own, *named]) or "this system's certificates"


def _named(file: str | None, folder: str | None) -> ssl.SSLContext | None:
    if not file and not folder:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file or None, folder or None)
    return context


def _of_the_system() -> ssl.SSLContext:
    if sys.platform in ("win32", "darwin"):
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_default_verify_paths()
    if not _has_authorities(ssl.get_default_verify_paths()):
        for bundle in filter(Path.is_file, map(Path, BUNDLES)):
            context.load_verify_locations(bundle)
            break
    return context


def _has_authorities(paths: ssl.DefaultVerifyPaths) -> bool:
    """Tell whether OpenSSL finds any where it looks; in a folder they are found by the hash of their names."""
    return bool(paths.cafile) or (bool(paths.capath) and any(Path(paths.capath).glob("*.[0-9]")))
