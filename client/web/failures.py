"""What failed at a URL that others gave, in a word for the log. Must not know what was posted there."""

from __future__ import annotations

import aiohttp

from client.web.public import NotPublic


def named(error: BaseException) -> str:
    """What failed, without the URL, which may be a secret."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, NotPublic):
        return "address-not-public"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "certificate"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name-not-found"
    return "timeout" if isinstance(error, TimeoutError) else type(cause).__name__
