"""`tertulia register`: makes an account. Must not know which values are acceptable; the broker says."""

from __future__ import annotations

import argparse
import asyncio

from client.commands import access
from client.commands.passwords import password
from client.language import _
from client.link.chat import ChatClient
from common.addresses import Address
from common.messages import Register


def run(arguments: argparse.Namespace) -> int:
    """Make the account, and log out again."""
    told = access.settings(arguments)
    login = access.login(told)
    address = access.broker(told)
    account = Register(
        login=login,
        password=password(_("Password for {login}").format(login=login), twice=True),
        first_names=arguments.first_names,
        surnames=arguments.surnames,
        age=arguments.age,
        gender=arguments.gender,
    )
    asyncio.run(_register(address, account))
    return 0


async def _register(address: Address, account: Register) -> None:
    async with ChatClient(address, register=account, client="tertulia register"):
        pass
