"""TLS from files that the operator names, for a gateway that browsers reach without a proxy.

Must not know where the files come from.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from client.language import _


class BadCertificate(Exception):
    """Certificate and key cannot be used; says why."""


class Certificate:
    """A certificate with its key, which can be read again once they are renewed."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read them. Raises `BadCertificate`."""
        self._files = certificate, key
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        """TLS 1.2 or newer, HTTP/1.1."""
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self.read()

    def read(self) -> None:
        """Read the files again: new connections get what is in them now. Raises `BadCertificate`; what was, stays."""
        certificate, key = self._files
        trial = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for context in (trial, self.context):
            try:
                context.load_cert_chain(certificate, key, password=_asked)
            except _Asked:
                said = _("{key}: the key is encrypted; give one without a passphrase").format(key=key)
            except ssl.SSLError as error:
                told = _("{certificate}, {key}: no certificate and its key in PEM ({reason})")
                said = told.format(certificate=certificate, key=key, reason=error.reason or error)
            except OSError as error:
                said = f"{certificate}, {key}: {error.strerror}"
            else:
                continue
            raise BadCertificate(said)


class _Asked(Exception):
    pass


def _asked() -> str:
    """There is nobody who could be asked for a passphrase."""
    raise _Asked
