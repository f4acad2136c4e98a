"""`tertulia web hook add|list|remove`: who may post into which room, and what of which room goes out to whom.

Secrets are printed once, when they are made. A gateway that runs takes changes up by itself. Must not know how hooks
are kept, nor what is done with them.
"""

from __future__ import annotations

import argparse
import json
import sys

from client.cli import WrongUsage
from client.language import _, sentence
from client.web.webhooks import hooks
from client.web.webhooks.hooks import BadHook
from common.errors import BadName


def run(arguments: argparse.Namespace) -> int:
    """Do what `arguments.verb` says."""
    path = vars(arguments).get("hooks") or hooks.default_path()
    try:
        if arguments.verb == "in":
            secret = hooks.add_incoming(path, arguments.name, arguments.room)
            print(f"{arguments.public.rstrip('/')}/hook/{secret}")
            print(_("Whoever knows this URL may post to the room. It is shown only now."), file=sys.stderr)
        elif arguments.verb == "out":
            _add_outgoing(arguments)
        elif arguments.verb == "list":
            _list(hooks.read(path), arguments.json)
        else:
            hooks.remove(path, arguments.name)
    except BadHook as error:
        raise WrongUsage(str(error)) from None
    except BadName as error:
        raise WrongUsage(sentence(error)) from None
    return 0


def _add_outgoing(arguments: argparse.Namespace) -> None:
    path = vars(arguments).get("hooks") or hooks.default_path()
    events = tuple(each.strip() for each in arguments.events.split(",") if each.strip())
    secret = hooks.add_outgoing(
        path,
        arguments.name,
        arguments.room,
        # Such a URL is often a secret, and who else is on this machine sees what commands are called with.
        sys.stdin.readline().strip() if arguments.url == "-" else arguments.url,
        events,
        private=arguments.allow_private,
        plain=arguments.allow_http,
    )
    print(secret)
    print(_("Requests are signed with this secret. It is shown only now."), file=sys.stderr)


def _list(found: hooks.Hooks, as_json: bool) -> None:
    told = [{"name": each.name, "way": "in", "room": each.room} for each in found.incoming]
    for each in found.outgoing:
        # The rest of a URL is often a secret.
        place = {"host": each.host, "events": ",".join(each.events)}
        told.append({"name": each.name, "way": "out", "room": each.room, **place})
    for row in told:
        print(json.dumps(row) if as_json else "  ".join(row.values()))
