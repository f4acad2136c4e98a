"""What a forge tells of an event, in a line or some: pushes, issues, pull requests, comments, releases, runs.

GitHub, Gitea and Forgejo name the event in a header and mean the same by the same fields. Of an event that is not
known, its name and who did it where is said. Must not know HTTP, nor where this is told.

Source: GitHub's "Webhook events and payloads".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from client.web.webhooks.bounds import ITEMS

_EXCERPT: Final = 200
"""Characters of a comment that are told."""

Told = Mapping[str, Any]


def told(event: str, found: Told) -> str:
    """What happened; empty if the body is none of a forge."""
    where = _at(found, "repository", "full_name") or _at(found, "organization", "login")
    who = _at(found, "sender", "login") or _at(found, "pusher", "name") or _at(found, "pusher", "login")
    if not where and not who:
        return ""
    who = who or "somebody"
    if event in _TOLD:
        said = _TOLD[event](found, who, where)
        if said:
            return said
    action = _at(found, "action")
    return f"{who}: {event}{f' {action}' if action else ''} in {where}"


def _push(found: Told, who: str, where: str) -> str:
    ref = _at(found, "ref").removeprefix("refs/heads/").removeprefix("refs/tags/")
    commits = found.get("commits")
    commits = [each for each in commits if isinstance(each, dict)] if isinstance(commits, list) else []
    if found.get("deleted") is True:
        return f"{who} deleted {ref} of {where}"
    count = f"{len(commits)} commit{'' if len(commits) == 1 else 's'}"
    lines = [f"{who} pushed {count} to {ref} of {where}"]
    for commit in commits[-ITEMS:]:
        lines.append(f"- {_at(commit, 'id')[:8]} {_first_line(_at(commit, 'message'))}")
    return "\n".join([*lines, _at(found, "compare") or _at(found, "compare_url")]).rstrip()


def _about(kind: str, key: str) -> Callable[[Told, str, str], str]:
    def say(found: Told, who: str, where: str) -> str:
        number, title = _at(found, key, "number"), _first_line(_at(found, key, "title"))
        merged = key == "pull_request" and found.get("action") == "closed" and _at(found, key, "merged") == "True"
        action = "merged" if merged else _at(found, "action").replace("_", " ")
        return f"{who} {action} {kind} #{number} of {where}: {title}\n{_at(found, key, 'html_url')}".rstrip()

    return say


def _comment(found: Told, who: str, where: str) -> str:
    number = _at(found, "issue", "number") or _at(found, "pull_request", "number")
    body = " ".join(_at(found, "comment", "body").split())
    excerpt = body if len(body) <= _EXCERPT else f"{body[:_EXCERPT]}…"
    return f"{who} commented on #{number} of {where}: {excerpt}\n{_at(found, 'comment', 'html_url')}".rstrip()


def _release(found: Told, who: str, where: str) -> str:
    tag, action = _at(found, "release", "tag_name"), _at(found, "action")
    return f"{who} {action} the release {tag} of {where}\n{_at(found, 'release', 'html_url')}".rstrip()


def _run(found: Told, who: str, where: str) -> str:
    run = found.get("workflow_run")
    if not isinstance(run, dict) or found.get("action") != "completed":
        return ""
    branch, outcome = _at(run, "head_branch"), _at(run, "conclusion")
    return f"{_at(run, 'name')} on {branch} of {where}: {outcome}\n{_at(run, 'html_url')}".rstrip()


def _ping(found: Told, who: str, where: str) -> str:
    return f"{where} tells its events here now"


_TOLD: Final[dict[str, Callable[[Told, str, str], str]]] = {
    "push": _push,
    "issues": _about("issue", "issue"),
    "pull_request": _about("pull request", "pull_request"),
    "issue_comment": _comment,
    "pull_request_review_comment": _comment,
    "release": _release,
    "workflow_run": _run,
    "ping": _ping,
}


def _at(found: object, *path: str) -> str:
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return str(found) if isinstance(found, str | int | float) else ""


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0].strip()
