"""The command line of whoever runs a broker: `tertulia-broker serve`, `address`, `user …`, `bot …`.

Exit status: 0 done, 1 refused or failed (one sentence on standard error), 2 wrong usage. A password is never
an argument: others on the machine can read arguments. Its length is that of the flags, which stand together.
Must not know how a broker does what is asked.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from broker import bots
from broker import config as settings
from broker.chat.operators import AddUser, DisableUser, ListUsers, SetUserPassword
from broker.chat.ports import StoreFailed
from broker.datadir import DataDir
from broker.office import Ask, office
from broker.store.migrations import DatabaseUnusable
from broker.wire.operator_client import listens
from common import texts
from common.errors import ChatError
from common.limits import LIST_PAGE

GENDERS: Final = ("female", "male", "other", "undisclosed")
_PAGE: Final = LIST_PAGE

Run = Callable[[argparse.Namespace, settings.BrokerConfig], None]


class Refused(ChatError):
    """A command that cannot be done; the sentence says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    given = _parser().parse_args(arguments)
    try:
        if vars(given).get("examine"):
            return _doctor(given)
        run: Run = given.run
        run(given, settings.load(given.config, os.environ, _flags(given)))
    except (ChatError, DatabaseUnusable, StoreFailed) as error:
        print(f"tertulia-broker: {texts.visible(str(error))}", file=sys.stderr)
        return 1
    except UnicodeError:
        print(f"tertulia-broker: {texts.NO_TEXT}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        return 1
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # nobody reads any more: no complaint at exit either
        return 1
    return 0


def _flags(given: argparse.Namespace) -> dict[str, object]:
    """The settings that were given as flags."""
    wanted = ["data_dir", "listen", "port", "database", "idle_exit_s", "log_format", "verbose"]
    wanted += ["web.serve", "web.listen", "web.port"]
    return {key: value for key in wanted if (value := getattr(given, key, None)) is not None}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tertulia-broker",
        description="Runs a Tertulia broker, and what its operator does beside.",
        epilog="Settings come from flags, then TERTULIA_BROKER_… in the environment, then the file, then defaults.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, metavar="FILE", help=f"settings (default: {settings.default_file()})")
    common.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help=f"where keys and database are (default: {settings.default_data_dir()})",
    )
    common.add_argument("--database", metavar="URL", help="sqlite:///PATH (default: tertulia.db in the data directory)")
    _add_serve(commands, common)
    address = commands.add_parser("address", parents=[common], help="print the running broker's address")
    address.set_defaults(run=_address)
    _add_user(commands, common)
    bots.add_to(commands, common)
    _add_doctor(commands, common)
    return parser


def _add_serve(commands: Any, common: argparse.ArgumentParser) -> None:
    serve = commands.add_parser(
        "serve",
        parents=[common],
        help="run a broker",
        description="Runs a broker until SIGTERM or SIGINT. The first line on standard output is its address.",
    )
    serve.add_argument("--listen", metavar="ADDR", help="address or host name to listen on (default: *, all of them)")
    serve.add_argument(
        "--port", type=int, metavar="N", help="the first of three ports in a row; 0 finds free ones (default: 5570)"
    )
    serve.add_argument("--metrics-port", type=int, metavar="N", help="serve metrics here (not in this version)")
    serve.add_argument(
        "--idle-exit",
        dest="idle_exit_s",
        type=float,
        metavar="SECONDS",
        help="end when nobody was connected for so long",
    )
    web = "serve browsers, too, by `tertulia web` as a child; its URL is logged, other settings of it are in [web]"
    serve.add_argument("--web", dest="web.serve", action="store_true", default=None, help=web)
    serve.add_argument("--web-listen", dest="web.listen", metavar="HOST", help="where it listens (default: 127.0.0.1)")
    serve.add_argument(
        "--web-port", dest="web.port", type=int, metavar="N", help="its port; 0 takes a free one (default: 8570)"
    )
    serve.add_argument("--log-format", choices=("text", "json"), help="how the log on standard error looks")
    serve.add_argument("-v", "--verbose", action="store_true", default=None, help="log more, for diagnosis")
    serve.set_defaults(run=_serve)


def _add_user(commands: Any, common: argparse.ArgumentParser) -> None:
    user = commands.add_parser("user", help="make, list, disable accounts; set passwords")
    actions = user.add_subparsers(metavar="ACTION", required=True)
    secret = "The password comes from TERTULIA_PASSWORD, the prompt, or the first line of standard input."
    add = actions.add_parser("add", parents=[common], help="make an account", description=secret)
    add.add_argument("login")
    add.add_argument("--first-names", required=True, metavar="NAMES")
    add.add_argument("--surnames", required=True, metavar="NAMES")
    add.add_argument("--age", required=True, type=int, metavar="YEARS")
    add.add_argument("--gender", choices=GENDERS, default="undisclosed")
    add.add_argument("--operator", action="store_true", help="may moderate every room")
    add.set_defaults(run=_user_add)
    listed = actions.add_parser("list", parents=[common], help="list the accounts")
    listed.add_argument("--json", action="store_true", help="one JSON object a line")
    listed.set_defaults(run=_user_list)
    passwd = actions.add_parser(
        "passwd", parents=[common], help="set a password; ends all sessions", description=secret
    )
    passwd.add_argument("login")
    passwd.set_defaults(run=_user_passwd)
    for name, disabled in (("disable", True), ("enable", False)):
        switch = actions.add_parser(name, parents=[common], help=f"{name} an account")
        switch.add_argument("login")
        switch.set_defaults(run=_user_disable, disabled=disabled)


def _add_doctor(commands: Any, common: argparse.ArgumentParser) -> None:
    doctor = commands.add_parser(
        "doctor",
        parents=[common],
        help="look whether all is well, and say what to do",
        description="Examines database, files, disk, clock and ports, beside a running broker or without one; changes "
        "nothing. A line a check: ok, warning or problem. The status is 1 if there is a problem.",
    )
    doctor.add_argument("--json", action="store_true", help="one JSON object a line")
    doctor.set_defaults(examine=True)


def _doctor(given: argparse.Namespace) -> int:
    from broker.doctor.examination import examine, show

    # Settings that cannot be read are a finding like others.
    config: settings.BrokerConfig | settings.BadConfig
    try:
        config = settings.load(given.config, os.environ, _flags(given))
    except settings.BadConfig as error:
        config = error
    return int(show(examine(config, given.config or settings.default_file()), given.json) > 0)


def _serve(given: argparse.Namespace, config: settings.BrokerConfig) -> None:
    if given.metrics_port is not None:
        raise Refused("Metrics are not available in this version; start without --metrics-port.")
    from broker.app import serve
    from broker.web import child

    if config.web.serve:
        child.check()
    serve(config)


def _address(given: argparse.Namespace, config: settings.BrokerConfig) -> None:
    data = DataDir(config.data_dir)
    # A broker that was killed leaves its address behind: only one that listens counts.
    if not listens(data.operator):
        raise Refused(f"No broker runs on {config.data_dir}; start one with: tertulia-broker serve")
    print(data.address.read_text().strip())


def _ask(config: settings.BrokerConfig, *commands: Any) -> None:
    with office(config) as ask:
        for command in commands:
            ask(command)


def _user_add(given: argparse.Namespace, config: settings.BrokerConfig) -> None:
    command = AddUser(
        login=given.login,
        password=_new_password(),
        first_names=given.first_names,
        surnames=given.surnames,
        age=given.age,
        gender=given.gender,
        operator=given.operator,
    )
    _ask(config, command)


def _user_passwd(given: argparse.Namespace, config: settings.BrokerConfig) -> None:
    _ask(config, SetUserPassword(login=given.login, password=_new_password()))


def _user_disable(given: argparse.Namespace, config: settings.BrokerConfig) -> None:
    _ask(config, DisableUser(login=given.login, disabled=given.disabled))


def _user_list(given: argparse.Namespace, config: settings.BrokerConfig) -> None:
    with office(config) as ask:
        accounts = _all_accounts(ask)
    if given.json:
        for account in accounts:
            print(json.dumps(msgspec.to_builtins(account)))
        return
    rows = [("LOGIN", "NAME", "STATE")]
    for each in accounts:
        marks = [
            "disabled" if each.disabled else "online" if each.online else "offline",
            *(["operator"] if each.operator else []),
            *(["bot"] if each.bot else []),
        ]
        rows.append((each.login, f"{each.first_names} {each.surnames}", ", ".join(marks)))
    for login, name, state in rows:
        print(f"{texts.visible(login):<32}  {texts.visible(name):<40}  {state}")


def _all_accounts(ask: Ask) -> list[Any]:
    accounts: list[Any] = []
    after = ""
    while True:
        page: Any = ask(ListUsers(after=after, limit=_PAGE))
        accounts += page.accounts
        if not page.more:
            return accounts
        after = accounts[-1].login


def _new_password() -> str:
    """A password from the environment, a prompt on a terminal, or the first line of standard input."""
    password = os.environ.get("TERTULIA_PASSWORD")
    if password is not None:
        return password
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("New password: ")
    if getpass.getpass("Once more: ") != password:
        raise Refused("The two passwords differ.")
    return password
