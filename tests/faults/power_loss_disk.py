"""What a disk may hold after the power failed: the calls of a traced process, and the states that they allow.

The calls are read from `strace`, and not taken from a layer of our own under SQLite: this way they are what the
kernel was really asked, by whatever thread and library. The model is as strict as POSIX allows: without a sync of
the file a write may be there, not at all, or in part (sectors, pages, or garbage in their place), whatever came
before or after it; a file that was made or removed may be so only after a sync of its directory. Two things are
taken for granted, as SQLite does: what was synced lasts, and a write harms no byte outside its sectors.
A call that the model does not know is an error, not a gap. Must not know what is in the files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple

TRACED: Final = (
    "open,openat,creat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fdatasync,fsync,"
    "sync_file_range,msync,mmap,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,"
    "copy_file_range,sendfile"
)
STRACE: Final = ("strace", "-f", "-qq", "-y", "-xx", "-s", "1000000", "-e", f"trace={TRACED}")
VOLATILE: Final = ("-shm", "/lock")
"""Files that count only while their processes live."""
SECTOR: Final = 512
PAGE: Final = 4_096

Kind = Literal["make", "write", "truncate", "sync", "sync-names", "remove", "say"]
Loss = Literal["nothing kept", "all kept", "beginning kept", "some writes", "some pages", "some sectors", "garbage"]
LOSSES: Final[tuple[Loss, ...]] = (
    "nothing kept",
    "all kept",
    "beginning kept",
    "some writes",
    "some pages",
    "some sectors",
    "garbage",
)


class Event(NamedTuple):
    """One call that changed something, made something last, or said something on standard output."""

    kind: Kind
    name: str
    at: int = 0
    data: bytes = b""


def events(trace: Path, directory: Path) -> Iterator[Event]:
    """The calls that concern `directory`, in their order; `name` is the file's in there."""
    inside = f"{directory.resolve()}/"
    for call, arguments, outcome in _calls(trace):
        # What failed changed nothing; what a kill cut off (`?`) was not even begun.
        if outcome.startswith(("-1", "?")):
            continue
        event = _event(call, arguments, inside)
        if event is not None:
            yield event


def _calls(trace: Path) -> Iterator[tuple[str, str, str]]:
    begun: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        process, _, rest = line.partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            begun[process] = rest.removesuffix("<unfinished ...>").rstrip()
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>", rest)
        if resumed:
            rest = begun.pop(process) + rest[resumed.end() :]
        found = re.fullmatch(r"(\w+)\((.*)\)\s+= (.*)", rest)
        if found:
            yield found[1], found[2], found[3]


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _event(call: str, arguments: str, inside: str) -> Event | None:
    paths = [_plain(each).decode(errors="replace") for each in re.findall(r'[<"]((?:\\x[0-9a-f]{2})+)[>"]', arguments)]
    if call == "write" and arguments.startswith("1<"):
        return Event("say", "", data=_plain(re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments)[0]))
    if call in ("fdatasync", "fsync") and paths and paths[0] + "/" == inside:
        return Event("sync-names", "")
    names = [path for path in paths if path.startswith(inside) and not path.endswith(VOLATILE)]
    if not names:
        return None
    name = names[0].removeprefix(inside)
    match call:
        case "open" | "openat" if "O_TRUNC" not in arguments:
            return Event("make", name) if "O_CREAT" in arguments else None
        case "pwrite64":
            data, _, at = re.findall(r'"((?:\\x[0-9a-f]{2})*)", (\d+), (\d+)$', arguments)[0]
            return Event("write", name, int(at), _plain(data))
        case "ftruncate":
            return Event("truncate", name, int(arguments.rpartition(", ")[2]))
        case "fdatasync" | "fsync":
            return Event("sync", name)
        case "unlink":
            return Event("remove", name)
    raise AssertionError(f"the model does not know what this does: {call} of {name}")


class _File:
    def __init__(self) -> None:
        self.synced = b""
        self.since: list[Event] = []
        """Writes and truncations that were not synced yet."""

    def sync(self) -> None:
        self.synced = _written(self.synced, self.since)
        self.since = []

    def after(self, chance: Random, loss: Loss) -> bytes:
        """What may be left of it."""
        since = self.since
        match loss:
            case "nothing kept":
                return self.synced
            case "all kept":
                return _written(self.synced, since)
            case "beginning kept":
                return _written(self.synced, since[: chance.randint(0, len(since))])
        share = chance.choice((0.1, 0.5, 0.9))
        kept = []
        for each in since:
            if each.kind == "truncate" or loss == "some writes":
                pieces = [each]
            else:
                pieces = _pieces(each, PAGE if loss == "some pages" else SECTOR)
            for piece in pieces:
                if chance.random() < share:
                    kept.append(piece)
                elif loss == "garbage" and piece.kind == "write" and chance.random() < 0.5:
                    kept.append(piece._replace(data=chance.randbytes(len(piece.data))))
        return _written(self.synced, kept)


def _pieces(write: Event, unit: int) -> list[Event]:
    pieces = []
    at, data = write.at, write.data
    while data:
        length = unit - at % unit
        pieces.append(write._replace(at=at, data=data[:length]))
        at, data = at + length, data[length:]
    return pieces


def _written(content: bytes, changes: list[Event]) -> bytes:
    made = bytearray(content)
    for change in changes:
        if change.kind == "truncate":
            del made[change.at :]
            made.extend(bytes(change.at - len(made)))
        else:
            made.extend(bytes(max(0, change.at - len(made))))
            made[change.at : change.at + len(change.data)] = change.data
    return bytes(made)


class Disk:
    """A directory's files, as they are and as they would be without power."""

    def __init__(self) -> None:
        self._names: dict[str, _File] = {}
        self._synced_names: dict[str, _File] = {}
        self._since: list[tuple[str, _File | None]] = []

    def apply(self, event: Event) -> None:
        """Let a call happen."""
        match event.kind:
            case "make":
                if event.name not in self._names:
                    self._names[event.name] = _File()
                    self._since.append((event.name, self._names[event.name]))
            case "write" | "truncate":
                self._names[event.name].since.append(event)
            case "sync":
                self._names[event.name].sync()
            case "sync-names":
                self._synced_names = dict(self._names)
                self._since = []
            case "remove":
                del self._names[event.name]
                self._since.append((event.name, None))

    def after_power_loss(self, chance: Random) -> dict[str, bytes]:
        """The files by name, in one of the states that are possible if the power fails now."""
        names = dict(self._synced_names)
        for name, file in self._since[: chance.randint(0, len(self._since))]:
            if file is None:
                names.pop(name, None)
            else:
                names[name] = file
        # Mostly the same for all files, since each kind of loss is a kind of disk.
        loss = chance.choice(LOSSES)
        return {
            name: file.after(chance, loss if chance.random() < 0.8 else chance.choice(LOSSES))
            for name, file in names.items()
        }
