"""`tertulia web`: the gateway, by which browsers take part, and other programs by webhooks.

Must not know how it does that: see `client/web`.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import os
import secrets
import signal
import sys
from typing import TYPE_CHECKING

from client import log
from client.cli import WrongUsage
from client.commands.program import KEY_VARIABLE, key_file
from client.language import _, sentence
from common import credentials
from common.errors import Forbidden
from common.keys import BadSecretFile

if TYPE_CHECKING:
    from client.web.app import Settings
    from client.web.relay.relay import Relay


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to end; the first line printed is the URL."""
    log.start()
    try:
        asyncio.run(_serve(arguments))
    except ModuleNotFoundError as error:
        if error.name not in ("aiohttp", "rjsmin"):
            raise
        needed = _("the gateway needs {library}: pip install 'tertulia[web]'").format(library=error.name)
        raise WrongUsage(needed) from None
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    from client.web.app import serve
    from client.web.edge.pages import BadPages
    from client.web.relay.relay import Relay
    from client.web.webhooks.hooks import BadHook

    file = key_file(arguments)
    if file is None:
        raise WrongUsage(_("the gateway needs a key: give --key, or set {variable}").format(variable=KEY_VARIABLE))
    settings = _settings(arguments)
    try:
        credential = credentials.read(file)
        relay = Relay(credential.address, credential.keys)
        if arguments.until_eof:
            _end_with_input()
        await relay.start()
        try:
            _warn(settings, relay, carries=await _carries(relay))
            await serve(relay, settings, _ready)
        finally:
            await relay.close()
    except (BadHook, BadSecretFile, BadPages) as error:
        raise WrongUsage(sentence(error) if isinstance(error, BadSecretFile) else str(error)) from None
    except OSError as error:
        where = f"{arguments.listen}:{arguments.port}"
        raise WrongUsage(_("{where}: cannot listen there ({reason})").format(where=where, reason=error)) from None


async def _carries(relay: Relay) -> bool:
    """Whether the key may carry browsers' sessions. Raises `KeyUnknown` if it is good for nothing."""
    from client.link.failures import KeyUnknown

    try:
        await relay.adopt(secrets.token_urlsafe())  # a label that nobody has: the broker just says so to a gateway
    except Forbidden:
        if relay.chat.login is None:
            raise KeyUnknown from None
        return False
    return True


def _end_with_input() -> None:
    """End as on SIGTERM once nobody holds the other end of the standard input any more."""
    loop, source = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(source, 4_096):
            loop.remove_reader(source)
            os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(source, read)


def _settings(arguments: argparse.Namespace) -> Settings:
    """What the flags say. Raises `WrongUsage`."""
    from client.web.app import Settings
    from client.web.edge import proxies, security
    from client.web.edge.tls import BadCertificate, Certificate
    from client.web.webhooks.hooks import default_path

    if (arguments.tls_cert is None) != (arguments.tls_key is None):
        raise WrongUsage(_("--tls-cert and --tls-key belong together: give both, or neither"))
    try:
        certificate = Certificate(arguments.tls_cert, arguments.tls_key) if arguments.tls_cert else None
    except BadCertificate as error:
        raise WrongUsage(str(error)) from None
    networks, origins = [], set()
    for text in arguments.trusted_proxy:
        try:
            networks.append(proxies.network(text))
        except ValueError:
            said = _("--trusted-proxy {text}: that is no address or network, such as 127.0.0.1 or 10.0.0.0/8")
            raise WrongUsage(said.format(text=text)) from None
    for text in arguments.origin:
        try:
            origins.add(security.origin(text))
        except ValueError:
            said = _("--origin {text}: that is no origin, such as https://chat.example.org")
            raise WrongUsage(said.format(text=text)) from None
    return Settings(
        arguments.listen,
        arguments.port,
        vars(arguments).get("hooks") or default_path(),
        arguments.data_dir or default_path().with_name("web"),
        certificate,
        tuple(networks),
        frozenset(origins),
        _contact(arguments.push_contact),
        arguments.per_address,
    )


def _contact(given: str | None) -> str:
    """Whom push services write to. Raises `WrongUsage`."""
    from client.web.push.vapid import CONTACT, is_contact

    if given is not None and not is_contact(given):
        raise WrongUsage(_("--push-contact {text}: give mailto:… or https://…").format(text=given))
    return given or CONTACT


def _warn(settings: Settings, relay: Relay, *, carries: bool) -> None:
    """Say on standard error what will not work as it is."""
    if not carries:
        told = _(
            "This key serves webhooks only. For browsers make one with: tertulia-broker bot add NAME --scopes gateway"
        )
        print(told, file=sys.stderr)
        return
    if relay.chat.login is None and settings.hooks.exists():
        print(_("This key is nobody's account, so no webhooks are served."), file=sys.stderr)
    if settings.certificate is None and not settings.proxies and not _of_this_machine(settings.listen):
        told = _(
            "Without TLS browsers on other machines keep no login and install nothing: give --tls-cert and --tls-key, "
            "or put a proxy in front and name it with --trusted-proxy."
        )
        print(told, file=sys.stderr)


def _of_this_machine(host: str) -> bool:
    """Whether only programs of this machine reach what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ready(url: str) -> None:
    print(url)
    sys.stdout.flush()
