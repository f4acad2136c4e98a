"""The broker's settings: where they come from, and what is said of a wrong one."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from broker import config
from broker.chat.settings import ChatSettings
from broker.config import BadConfig, BrokerConfig, load
from broker.web.settings import WebSettings
from broker.wire.bounds import Bounds
from client.command_line import WEB_PORT
from common.limits import Rate

SHIPPED = Path("config/broker.toml")
TABLES = {"chat": ChatSettings, "network": Bounds, "web": WebSettings}


def written(directory: Path, text: str) -> Path:
    path = directory / "broker.toml"
    path.write_text(text)
    return path


def test_without_anything_the_defaults_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "default_file", lambda: tmp_path / "none.toml")
    assert load(None, {}, {}) == BrokerConfig()


def test_the_default_file_is_read_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "default_file", lambda: written(tmp_path, "port = 6000"))
    assert load(None, {}, {}).port == 6000


def test_the_shipped_file_holds_every_setting_with_its_default(tmp_path: Path) -> None:
    text = SHIPPED.read_text()
    assert load(SHIPPED, {}, {}) == BrokerConfig()
    switched_on = re.sub(r"^#(?=\w+ = )", "", text, flags=re.MULTILINE)
    # The data directory's default depends on whose home it is.
    switched_on = re.sub(r"^data_dir = .*$", "", switched_on, flags=re.MULTILINE)
    assert load(written(tmp_path, switched_on), {}, {}) == BrokerConfig()
    for each in [*fields(BrokerConfig), *fields(Bounds), *fields(ChatSettings)]:
        assert each.name in TABLES or re.search(rf"^#{each.name} = ", text, re.MULTILINE), each.name
    # What is the gateway's own default is shown, and left to it.
    for each in fields(WebSettings):
        assert re.search(rf"^# ?{each.name} = ", text, re.MULTILINE), each.name


def test_what_the_shipped_file_shows_of_the_gateways_settings_can_be_set(tmp_path: Path) -> None:
    shown = SHIPPED.read_text().partition("[web]")[2]
    loaded = load(written(tmp_path, "[web]\n" + re.sub(r"^# ?(?=\w+ = )", "", shown, flags=re.MULTILINE)), {}, {})
    assert all(getattr(loaded.web, each.name) is not None for each in fields(WebSettings))
    assert loaded.web.port == WEB_PORT


def test_a_certificate_without_its_key_is_half_a_setting(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="belong together"):
        load(written(tmp_path, '[web]\ntls_cert = "/c.pem"\n'), {}, {})


def test_every_setting_has_a_rule() -> None:
    own = {each.name for each in fields(BrokerConfig)} - set(TABLES)
    within = {f"{table}.{each.name}" for table, kind in TABLES.items() for each in fields(kind)}
    assert set(config._KEYS) == own | within


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'port = 6000\nlisten = "127.0.0.1"\nbcrypt_cost = 5\n')
    loaded = load(file, {"TERTULIA_BROKER_PORT": "7000", "TERTULIA_BROKER_LISTEN": "::1"}, {"port": 8000})
    assert (loaded.port, loaded.listen, loaded.bcrypt_cost) == (8000, "::1", 5)


def test_the_environment_reaches_every_kind_of_setting() -> None:
    key = "a" * 40
    loaded = load(
        SHIPPED,
        {
            "TERTULIA_BROKER_VERBOSE": "true",
            "TERTULIA_BROKER_IDLE_EXIT_S": "1.5",
            "TERTULIA_BROKER_DATA_DIR": "~/chat",
            "TERTULIA_BROKER_CHAT_GATEWAYS": f"{key}, {'b' * 40}",
            "TERTULIA_BROKER_CHAT_GRACE_S": "60",
            "TERTULIA_BROKER_CHAT_POSTS": "5, 50",
            "TERTULIA_BROKER_NETWORK_BAN_S": "0",
            "TERTULIA_ADDRESS": "of no interest here",
        },
        {},
    )
    assert (loaded.verbose, loaded.idle_exit_s, loaded.data_dir) == (True, 1.5, Path.home() / "chat")
    assert (loaded.chat.posts, loaded.network.ban_s) == (Rate(5, 50), 0)
    assert (loaded.chat.gateways, loaded.chat.grace_s) == (frozenset({key, "b" * 40}), 60.0)


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("port = 70000", "port", "a whole number from 0 to 65533"),
        ('port = "5570"', "port", "a whole number"),
        ("port = true", "port", "a whole number"),
        ("idle_exit_s = -1", "idle_exit_s", "seconds"),
        ("idle_exit_s = nan", "idle_exit_s", "seconds"),
        ("idle_exit_s = true", "idle_exit_s", "seconds"),
        ('log_format = "xml"', "log_format", '"text" or "json"'),
        ("verbose = 1", "verbose", "true or false"),
        ('data_dir = ""', "data_dir", "a directory's path"),
        ('listen = ""', "listen", "an address"),
        ('announce = "a b"', "announce", "a host name"),
        ("bcrypt_cost = 3", "bcrypt_cost", "from 4 to 16"),
        ('[chat]\ndefault_room = "a b"', "chat.default_room", "a room's name"),
        ('[chat]\nserver_name = "a\\u001bb"', "chat.server_name", "printable"),
        ('[chat]\nregistration = "maybe"', "chat.registration", '"open" or "closed"'),
        ('[chat]\ngateways = ["short"]', "chat.gateways", "public keys"),
        ('[chat]\ngateways = "text"', "chat.gateways", "a list"),
        ("[chat]\ngateways = [1]", "chat.gateways", "a list"),
        ("[chat]\nposts = 5", "chat.posts", "two numbers"),
        ("[chat]\nposts = [5]", "chat.posts", "two numbers"),
        ("[chat]\nposts = [5, 0]", "chat.posts", "two numbers"),
        ("[chat]\nposts = [-5, 10]", "chat.posts", "two numbers"),
        ('[chat]\nposts = ["5", "6"]', "chat.posts", "two numbers"),
        ("[chat]\nposts = [inf, 10]", "chat.posts", "two numbers"),
        ("[network]\nconnections = 1", "network.connections", "a whole number"),
    ],
)
def test_a_wrong_setting_names_file_key_and_expectation(tmp_path: Path, text: str, key: str, expected: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(BadConfig) as caught:
        load(file, {}, {})
    assert caught.value.message.startswith(f"{file}: {key}: expected ")
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prot = 1", "prot: no such setting; did you mean port?"),
        ("xyzzy = 1", "xyzzy: no such setting."),
        ("[chat]\ngrace = 1", "chat.grace: no such setting; did you mean chat.grace_s?"),
        ("port = ", "not TOML"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(BadConfig, match=re.escape(sentence)) as caught:
        load(file, {}, {})
    assert str(file) in caught.value.message


def test_a_wrong_variable_is_named_as_such() -> None:
    with pytest.raises(BadConfig, match="environment: port: expected a whole number from 0 to 65533, found 'many'"):
        load(SHIPPED, {"TERTULIA_BROKER_PORT": "many"}, {})
    with pytest.raises(BadConfig, match="environment: prot: no such setting; did you mean port"):
        load(SHIPPED, {"TERTULIA_BROKER_PROT": "1"}, {})


def test_a_file_that_is_named_must_be_readable(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="there is no such file"):
        load(tmp_path / "none.toml", {}, {})
    with pytest.raises(BadConfig, match="cannot be read"):
        load(tmp_path, {}, {})


def test_the_database_is_sqlite_for_now(tmp_path: Path) -> None:
    assert BrokerConfig(data_dir=tmp_path).database_path == tmp_path / "tertulia.db"
    assert load(SHIPPED, {}, {"database": "sqlite:////var/chat.db"}).database_path == Path("/var/chat.db")
    with pytest.raises(BadConfig, match="PostgreSQL is not supported by this version"):
        load(SHIPPED, {}, {"database": "postgresql://host/db"})
    with pytest.raises(BadConfig, match="expected sqlite:///PATH"):
        load(SHIPPED, {}, {"database": "mysql:///x"})
