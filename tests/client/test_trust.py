"""Known brokers and remembered logins, on disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from client.trust import KeyChanged, KnownBrokers, Tokens, default_directory
from common.addresses import Address, encode_key, fingerprint
from common.keys import BadSecretFile

ONE, OTHER = bytes(range(32)), bytes(range(32, 64))
HOME = Address("chat.example", 5570, ONE)


def mode(path: Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tertulia" / "file"


def test_a_broker_that_was_never_met_is_shown_then_known(file: Path) -> None:
    brokers = KnownBrokers(file)
    meeting = brokers.check(HOME)
    assert (meeting.verdict, meeting.fingerprint) == ("unknown", fingerprint(ONE))
    meeting.require()
    assert brokers.key(HOME) is None
    assert not file.exists(), "looking leaves nothing behind"
    brokers.remember(HOME, "The Ana's \x1b[2J Bar\n")
    assert brokers.check(HOME).verdict == "same"
    assert brokers.key(Address("CHAT.example", 5570)) == ONE
    assert mode(file) == 0o600
    assert mode(file.parent) == 0o700
    assert file.read_text() == f"chat.example:5570 {encode_key(ONE)} The Ana's Bar\n"


def test_remembering_twice_is_remembering_once(file: Path) -> None:
    brokers = KnownBrokers(file)
    brokers.remember(HOME)
    before = file.read_bytes()
    brokers.remember(HOME, "again")
    assert file.read_bytes() == before


def test_a_changed_key_is_refused_with_both_fingerprints_and_the_line(file: Path) -> None:
    brokers = KnownBrokers(file)
    brokers.remember(Address("elsewhere", 5570, OTHER))
    brokers.remember(HOME)
    meeting = brokers.check(Address("chat.example", 5570, OTHER))
    assert (meeting.verdict, meeting.known, meeting.line) == ("changed", ONE, 2)
    with pytest.raises(KeyChanged) as refused:
        meeting.require()
    for part in (fingerprint(ONE), fingerprint(OTHER), f"line 2 of {file}", "chat.example:5570"):
        assert part in refused.value.message
    with pytest.raises(KeyChanged):
        brokers.remember(Address("chat.example", 5570, OTHER))
    assert brokers.check(HOME).verdict == "same"


@pytest.mark.parametrize(
    "address", [Address("chat.example", 5571, OTHER), Address("::1", 5570, OTHER), Address("10.0.0.1", 5570, OTHER)]
)
def test_host_and_port_tell_brokers_apart(file: Path, address: Address) -> None:
    brokers = KnownBrokers(file)
    brokers.remember(HOME)
    assert brokers.check(address).verdict == "unknown"
    brokers.remember(address)
    assert brokers.check(address).verdict == "same"
    assert brokers.check(HOME).verdict == "same"


def test_empty_lines_and_remarks_are_left_alone(file: Path) -> None:
    brokers = KnownBrokers(file)
    brokers.remember(HOME)
    file.write_text(f"\n# mine\n{file.read_text()}")
    assert brokers.check(HOME).line == 3
    brokers.remember(Address("b", 1, OTHER))
    assert file.read_text().startswith("\n# mine\nchat.example")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"chat.example:5570 notakey\n", b"x" * 70_000])
def test_a_file_that_cannot_be_read_says_what_to_do(file: Path, content: bytes) -> None:
    brokers = KnownBrokers(file)
    brokers.remember(HOME)
    file.write_bytes(content)
    with pytest.raises(BadSecretFile, match=str(file)):
        brokers.check(HOME)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_file_that_others_can_read_is_refused(file: Path) -> None:
    tokens = Tokens(file)
    tokens.replace(ONE, "ana", b"t" * 32)
    file.chmod(0o644)
    with pytest.raises(BadSecretFile, match="chmod 600"):
        tokens.load(ONE, "ana")


def test_tokens_by_broker_and_login(file: Path) -> None:
    tokens = Tokens(file)
    assert tokens.load(ONE, "ana") is None
    assert not tokens.any()
    tokens.replace(ONE, "ana", b"1" * 32)
    assert tokens.any()
    tokens.replace(ONE, "bob", b"2" * 32)
    tokens.replace(OTHER, "ana", b"3" * 32)
    assert mode(file) == 0o600
    assert [tokens.load(ONE, "ana"), tokens.load(ONE, "BOB"), tokens.load(OTHER, "Ana")] == [
        b"1" * 32,
        b"2" * 32,
        b"3" * 32,
    ]
    tokens.replace(ONE, "ANA", b"4" * 32)
    assert tokens.load(ONE, "ana") == b"4" * 32
    assert (tokens.last(ONE), tokens.last(OTHER), tokens.last(bytes(32))) == ("ana", "ana", None)
    tokens.forget(ONE, "ana")
    assert tokens.last(ONE) == "bob"
    tokens.forget(ONE, "nobody")
    assert tokens.load(ONE, "ana") is None
    assert tokens.load(ONE, "bob") == b"2" * 32
    assert len(file.read_text().splitlines()) == 2


def test_a_line_that_makes_no_sense_is_no_token(file: Path) -> None:
    tokens = Tokens(file)
    tokens.replace(ONE, "ana", b"1" * 32)
    file.write_text(f"{encode_key(ONE)} ana nothex\nx\n")
    assert tokens.load(ONE, "ana") is None
    tokens.replace(ONE, "ana", b"2" * 32)
    assert tokens.load(ONE, "ana") == b"2" * 32


def test_a_write_that_fails_leaves_the_old_token_and_no_draft(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens(file)
    tokens.replace(ONE, "ana", b"1" * 32)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        tokens.replace(ONE, "ana", b"2" * 32)
    monkeypatch.undo()
    assert tokens.load(ONE, "ana") == b"1" * 32
    assert sorted(path.name for path in file.parent.iterdir()) == [".file.lock", "file"]


def test_two_programs_at_once_lose_no_line(file: Path) -> None:
    from threading import Thread

    writers = [
        Thread(target=lambda number=number: KnownBrokers(file).remember(Address(f"host-{number}", 5570, ONE)))
        for number in range(20)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(file.read_text().splitlines()) == 20


def test_it_lies_in_the_users_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_directory().is_relative_to(tmp_path)
    KnownBrokers().remember(HOME)
    Tokens().replace(ONE, "ana", b"1" * 32)
    assert {"known_brokers", "tokens"} <= {path.name for path in default_directory().iterdir()}
