"""The command line of `tertulia`: its commands and flags with their help, which the completions read, too.

Must not know what a command does, nor import anything slow. Long, since all flags stand together.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from client.language import LANGUAGES, N_, _

GENDERS: Final = ("female", "male", "other", "undisclosed")
SHELLS: Final = ("bash", "zsh", "fish")
WEB_PORT: Final = 8570
"""Where the gateway listens if nothing else is said."""

PER_ADDRESS: Final = 512
"""Connections to the gateway at once from one address, by default."""

_EPILOG: Final = N_("""\
environment:
  TERTULIA_ADDRESS, TERTULIA_LOGIN   as the flags, which win over them; they win over client.toml
  TERTULIA_LANG                      the language, as --lang; else it is the locale's
  TERTULIA_BOT_KEY                   the key file of a bot or of the gateway
  TERTULIA_KEY                       a key file, as --key: who and where it says, without a password
  TERTULIA_PASSWORD                  else the password is asked for, or is the first line of the input

exit status:
  0 done · 1 refused by the broker, whose sentence is on stderr · 2 wrong usage · 3 no broker reached
""")


_SCOPES: Final = N_(
    "what it may be used for: read:ROOM, write:ROOM (ROOM may be *), direct, create, admin, account; "
    "everything if none is given"
)

_OF_ARGPARSE: Final = (
    N_("usage: "),
    N_("options"),
    N_("positional arguments"),
    N_("show this help message and exit"),
    N_("%(prog)s: error: %(message)s\n"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("expected one argument"),
    N_("expected at least one argument"),
    N_("ignored explicit argument %r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("invalid %(type)s value: %(value)r"),
)
"""What the library that reads the command line says by itself, of what this one can make it say."""


def parser() -> argparse.ArgumentParser:
    """The whole command line; `client.commands.completion` reads it too."""
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--address", metavar="A", help=_("tertulia://HOST:PORT/KEY, HOST:PORT or HOST"))
    shared.add_argument("--login", metavar="L", help=_("who you are there"))
    shared.add_argument("--config", metavar=_("FILE"), type=Path, help=_("settings, instead of your client.toml"))
    shared.add_argument("--lang", choices=LANGUAGES, help=_("the language; else the locale's"))
    keyed = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    told = _("log in by this key file, which says who and where; no password")
    keyed.add_argument("--key", metavar=_("FILE"), type=Path, help=told)
    lines = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    lines.add_argument("--plain", action="store_true", help=_("line in, line out, even on a terminal"))
    top = argparse.ArgumentParser(
        prog="tertulia",
        description=_(
            "Chat from the terminal; without a command, opens the chat. "
            "Without an address, uses your own broker on this machine and starts one if none runs."
        ),
        epilog=_(_EPILOG),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared, keyed, lines],
        allow_abbrev=False,
    )
    top.add_argument("--version", action=_Version, nargs=0, help=_("show the version and exit"))
    top.set_defaults(module="chat")
    commands = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"))

    def command(name: str, help: str, module: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=help, description=f"{help[0].upper()}{help[1:]}.", parents=list(parents), allow_abbrev=False
        )
        added.set_defaults(module=module)
        return added

    command("chat", _("open the chat (the default)"), "chat", shared, keyed, lines)
    _register(command("register", _("make an account"), "register", shared))
    _send(command("send", _("say something in a room"), "send", shared, keyed))
    _tail(command("tail", _("print what is said in a room"), "tail", shared, keyed))
    _json(command("rooms", _("list the rooms"), "rooms", shared, keyed))
    _json(command("users", _("list the users of the whole system"), "users", shared, keyed))
    _bot(command("bot", _("run bots, or begin a new one"), "bot"))
    _keys(command("keys", _("list, make and revoke keys that log in without a password"), "keys"), shared, keyed)
    _web(command("web", _("serve the app for browsers, and webhooks"), "web", shared))
    completion = command("completion", _("print the completions for a shell"), "completion")
    completion.add_argument("shell", choices=SHELLS)
    return top


def _register(command: argparse.ArgumentParser) -> None:
    command.add_argument("--first-names", required=True, metavar="F")
    command.add_argument("--surnames", required=True, metavar="S")
    command.add_argument("--age", required=True, type=int, metavar="N", help=_("seen by you and the operator only"))
    command.add_argument("--gender", required=True, choices=GENDERS, help=_("seen by you and the operator only"))


def _send(command: argparse.ArgumentParser) -> None:
    command.add_argument("--room", required=True, metavar="R")
    command.add_argument("text", nargs="*", metavar=_("TEXT"), help=_("what to say; without it, the input is read"))


def _tail(command: argparse.ArgumentParser) -> None:
    command.add_argument("--room", required=True, metavar="R")
    command.add_argument("--since", type=_natural, metavar="SEQ", help=_("begin after this sequence number"))
    command.add_argument(
        "--count", type=_natural, metavar="N", help=_("at most N messages (default: 20, or all since SEQ)")
    )
    command.add_argument("--follow", action="store_true", help=_("go on with what is said from now on"))
    _json(command)


def _bot(command: argparse.ArgumentParser) -> None:
    verbs = command.add_subparsers(metavar=_("COMMAND"), required=True)
    run = verbs.add_parser("run", help=_("run the bots of some files"), allow_abbrev=False)
    told = _("a file with a bot; with its key file behind it: FILE.py=KEYFILE, or else FILE.key beside it")
    run.add_argument("files", nargs="+", metavar="FILE.py", help=told)
    run.add_argument("--rooms", nargs="+", metavar="R", help=_("the rooms to be in, instead of what the files say"))
    run.add_argument("--key", metavar=_("FILE"), help=_("the key file to log in with; else TERTULIA_BOT_KEY"))
    run.add_argument("--reload", action="store_true", help=_("start anew when a file changes"))
    run.set_defaults(verb="run")
    new = verbs.add_parser("new", help=_("write a bot that works, with its test, to go on from"), allow_abbrev=False)
    new.add_argument("name", metavar=_("NAME"))
    new.set_defaults(verb="new")


def _web(command: argparse.ArgumentParser) -> None:
    _hooks(command)
    command.add_argument("--listen", metavar="HOST", default="127.0.0.1", help=_("where to listen (127.0.0.1)"))
    command.add_argument(
        "--port", metavar="N", type=_port, default=WEB_PORT, help=_("the port (8570); 0 takes a free one")
    )
    command.add_argument("--key", metavar=_("FILE"), help=_("the key file to log in with; else TERTULIA_BOT_KEY"))
    told = _("end when the standard input, a pipe, does: for whoever starts it and may be killed")
    command.add_argument("--until-eof", action="store_true", help=told)
    _edge(command)
    parts = command.add_subparsers(metavar="hook")
    hook = parts.add_parser("hook", help=_("add, list and remove webhooks"), allow_abbrev=False)
    verbs = hook.add_subparsers(metavar=_("COMMAND"), required=True)
    add = verbs.add_parser("add", help=_("make a webhook"), allow_abbrev=False)
    ways = add.add_subparsers(metavar="in|out", required=True)
    _hook_in(ways.add_parser("in", help=_("let other programs post into a room"), allow_abbrev=False))
    _hook_out(ways.add_parser("out", help=_("post what happens in a room to a URL"), allow_abbrev=False))
    listing = verbs.add_parser("list", help=_("list the webhooks"), allow_abbrev=False)
    _json(listing)
    _hooks(listing)
    listing.set_defaults(module="hook", verb="list")
    remove = verbs.add_parser("remove", help=_("remove a webhook"), allow_abbrev=False)
    remove.add_argument("name", metavar=_("NAME"))
    _hooks(remove)
    remove.set_defaults(module="hook", verb="remove")


def _edge(command: argparse.ArgumentParser) -> None:
    command.add_argument("--tls-cert", metavar=_("FILE"), type=Path, help=_("speak TLS with this certificate (PEM)"))
    command.add_argument("--tls-key", metavar=_("FILE"), type=Path, help=_("the certificate's key, unencrypted"))
    told = _("believe a proxy at this address or network who asks, and whether by https; may be given again")
    command.add_argument("--trusted-proxy", metavar="CIDR", action="append", default=[], help=told)
    told = _("let pages of this origin in, too, where a proxy changes the host's name; may be given again")
    command.add_argument("--origin", metavar="URL", action="append", default=[], help=told)
    told = _("where the keys for push and who has asked for it are kept, instead of beside your settings")
    command.add_argument("--data-dir", metavar=_("DIRECTORY"), type=Path, help=told)
    told = _("whom push services write to if something is wrong: mailto:… or https://…")
    command.add_argument("--push-contact", metavar="URL", help=told)
    told = _("connections at once from one address (512)")
    command.add_argument("--per-address", metavar="N", type=_positive, default=PER_ADDRESS, help=told)


def _hook_in(command: argparse.ArgumentParser) -> None:
    command.add_argument("--room", required=True, metavar="R")
    command.add_argument("--name", required=True, metavar=_("NAME"), help=_("what to call the hook"))
    command.add_argument(
        "--public",
        metavar="URL",
        default=f"http://127.0.0.1:{WEB_PORT}",
        help=_("where others reach the gateway: what the printed URL begins with"),
    )
    _hooks(command)
    command.set_defaults(module="hook", verb="in")


def _hook_out(command: argparse.ArgumentParser) -> None:
    command.add_argument("--room", required=True, metavar="R")
    command.add_argument("--name", required=True, metavar=_("NAME"), help=_("what to call the hook"))
    command.add_argument("--url", required=True, metavar="URL", help=_("where to post; -: as the input says"))
    command.add_argument(
        "--events",
        metavar="E,…",
        default="message",
        help=_("what to tell: message (the default), edit, retract, reaction, join, leave"),
    )
    command.add_argument("--allow-http", action="store_true", help=_("let it go out unencrypted"))
    command.add_argument(
        "--allow-private", action="store_true", help=_("let it go to addresses of this machine and of private networks")
    )
    _hooks(command)
    command.set_defaults(module="hook", verb="out")


def _hooks(command: argparse.ArgumentParser) -> None:
    # Suppressed, so that a command within a command does not take back what was said before it.
    told = _("the file of webhooks, instead of your own")
    command.add_argument("--hooks", metavar=_("FILE"), type=Path, default=argparse.SUPPRESS, help=told)


def _keys(command: argparse.ArgumentParser, *parents: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", metavar=_("COMMAND"), required=True)
    said = _("list your keys")
    _json(actions.add_parser("list", help=said, description=said, parents=list(parents), allow_abbrev=False))
    said = _("make a key and write it into a file")
    add = actions.add_parser("add", help=said, description=said, parents=list(parents), allow_abbrev=False)
    add.add_argument("name", metavar=_("NAME"), help=_("what it is for"))
    add.add_argument("scopes", nargs="*", metavar=_("SCOPE"), help=_(_SCOPES))
    said = _("where it is written, instead of beside your settings")
    add.add_argument("--file", metavar=_("FILE"), type=Path, help=said)
    said = _("forget a key, and cut off who uses it")
    revoke = actions.add_parser("revoke", help=said, description=said, parents=list(parents), allow_abbrev=False)
    revoke.add_argument("number", type=_natural, metavar="N", help=_("as the list shows it"))


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help=_("one JSON object a line, in ASCII"))


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(_("{text!r} is no number from 0 upwards").format(text=text))
    return int(text)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(_("{text!r} is no number from 1 upwards").format(text=text))
    return int(text)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(_("{text!r} is no port from 0 to 65535").format(text=text))
    return int(text)


class _Version(argparse.Action):
    """Print the version, looked up only now because the lookup is slow."""

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"tertulia {version('tertulia')}")
        except PackageNotFoundError:
            print(_("tertulia, not installed"))
        parser.exit()
