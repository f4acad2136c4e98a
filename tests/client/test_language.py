"""The client's languages: which is chosen, that the catalogs are whole, and that no sentence goes unmarked."""

from __future__ import annotations

import ast
import datetime
import gettext
import json
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from client import config, language, refusals
from client.cli import main
from client.language import LANGUAGES, _, long_date, moment, ngettext, sentence, short_date, translator
from common import errors
from common.errors import BadName, BadRequest, ChatError, NoSuchRoom, RateLimited
from scripts import catalogs
from tests.generated import ROOT
from tests.support import unmeasured

CATALOGS = catalogs.catalogs()
each_catalog = pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parts[-3])

# Modules whose literals are no sentences, each with the reason.
NO_SENTENCES = {
    "client/commands/completion.py": "scripts for shells",
    "client/tui/view/style.py": "colours and names of styles",
    "client/web/edge/agents.py": "names of browsers and systems, as every session is described in the list of them",
    "client/web/edge/entrance.py": "answers to other programs; what people are told are the refusals' own sentences",
    "client/web/edge/pages.py": "HTTP, and a fault of the files themselves",
    "client/web/edge/routes.py": "HTTP, and answers to other programs",
    "client/web/edge/security.py": "HTTP",
    "client/web/relay/frames.py": "what is said of frames is for whoever writes what sends them",
    "client/web/webhooks/forges.py": "what becomes of other programs' bodies, whose language is English",
    "client/web/webhooks/incoming.py": "answers to other programs",
    "client/web/public.py": "networks, and a cause for the log",
    "client/web/webhooks/shapes.py": "answers to other programs",
    **{
        f"client/bot/{name}.py": "speaks to the authors of bots, and in their log"
        for name in ("bot", "context", "cooldowns", "desk", "listeners", "running", "schedule", "spans", "store")
    },
    **{f"client/bot/{name}.py": "speaks in the log" for name in ("keeping", "lanes", "runs", "serving", "threads")},
}

# Literals that look like sentences and are none, each with the reason.
NOT_SHOWN = {
    "new password": "the name of a field",
    "first names": "the name of a field",
    "room {}": "a line of a file",
    "too many sockets": "why a socket is closed, for programs",
    "logged out": "why a socket is closed, for programs",
    "text frames only": "why a socket is closed, for programs",
    "the subprotocol is {}": "an answer to programs",
    "Say hello first.": "for whoever writes what sends it",
    "Alt+p, Alt+n": "keys, called so in every language",
    "Alt+j 12": "keys, called so in every language",
    "Ctrl+A, Ctrl+E, Ctrl+W, Ctrl+U": "keys, called so in every language",
}

# Errors that say that the program is wrong: nobody but its authors reads them.
FOR_AUTHORS = {"AssertionError", "AttributeError", "BadHandler", "NotImplementedError", "TypeError", "ValueError"}


# Which language


@pytest.mark.parametrize(
    ("lang", "environment", "spoken"),
    [
        (None, {}, "en"),
        ("es", {}, "es"),
        ("es", {"LANG": "en_GB.UTF-8"}, "es"),
        ("en", {"LANG": "es_ES.UTF-8"}, "en"),
        ("es_AR.UTF-8", {}, "es"),
        ("es-MX", {}, "es"),
        ("", {"LANG": "es_ES.UTF-8"}, "es"),
        (None, {"LANG": "es"}, "es"),
        (None, {"LANG": "es_ES@euro"}, "es"),
        (None, {"LC_MESSAGES": "es_ES.UTF-8", "LANG": "de_DE.UTF-8"}, "es"),
        (None, {"LC_ALL": "en_US.UTF-8", "LC_MESSAGES": "es_ES.UTF-8", "LANG": "es_ES.UTF-8"}, "en"),
        (None, {"LC_ALL": "", "LANG": "es_ES.UTF-8"}, "es"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
        (None, {"LANG": "de_DE.UTF-8", "LANGUAGE": "ca:es:en"}, "es"),
        (None, {"LANG": "es_ES.UTF-8", "LANGUAGE": "en"}, "en"),
        (None, {"LANG": "C.UTF-8", "LANGUAGE": "es"}, "en"),
        (None, {"LANGUAGE": "es"}, "en"),
        ("de", {"LANG": "es_ES.UTF-8"}, "es"),
    ],
)
def test_the_language_is_what_was_asked_for_or_the_locale(
    lang: str | None, environment: dict[str, str], spoken: str
) -> None:
    try:
        assert language.use(lang, environment) == spoken
        assert _("One moment…") == {"en": "One moment…", "es": "Un momento…"}[spoken]
    finally:
        language.use("en")


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int | str | None, str]:
    """Run the command line; its status and what it printed."""
    try:
        status: int | str | None = main(argv)
    except SystemExit as ended:
        status = ended.code
    finally:
        language.use("en")
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def test_flag_environment_and_settings_choose_the_language_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("TERTULIA_LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    assert asked(capsys, "--help")[1].startswith("uso: tertulia")
    settings = config.default_path()
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('lang = "en"\n')
    assert asked(capsys, "--help")[1].startswith("usage: tertulia")
    monkeypatch.setenv("TERTULIA_LANG", "es")
    assert asked(capsys, "--help")[1].startswith("uso: tertulia")
    monkeypatch.setenv("TERTULIA_LANG", "es_AR.UTF-8")
    assert asked(capsys, "--help")[1].startswith("uso: tertulia")
    assert config.load({}, {"TERTULIA_LANG": "es_AR.UTF-8"}).lang == "es_AR.UTF-8"
    assert asked(capsys, "tail", "--lang=en", "--help")[1].startswith("usage: tertulia tail")
    other = tmp_path / "other.toml"
    other.write_text('lang = "es"\n')
    monkeypatch.delenv("TERTULIA_LANG")
    assert asked(capsys, "--config", str(other), "--help")[1].startswith("uso: tertulia")


def test_a_language_that_there_is_not_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    assert asked(capsys, "--lang", "xx", "rooms")[0] == 2
    assert asked(capsys, "rooms", "--lang")[0] == 2
    monkeypatch.setenv("TERTULIA_LANG", "xx")
    status, said = asked(capsys, "rooms")
    assert (status, said) == (2, "tertulia: 'xx' is no language that this program speaks; expected one of en, es.\n")
    assert "no hay tal ajuste" in asked(capsys, "--lang", "es", "--config", str(_faulty(tmp_path)), "rooms")[1]


def _faulty(directory: Path) -> Path:
    file = directory / "faulty.toml"
    file.write_text('adress = "x"\n')
    return file


def test_what_the_command_line_says_of_itself_is_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERTULIA_LANG", "es")
    for argv, said in (
        (("tail",), "faltan estos argumentos: --room"),
        (("tail", "--room"), "argumento --room: falta su valor"),
        (("tail", "--room", "x", "--count", "few"), "argumento --count: 'few' no es un número de 0 en adelante"),
        (("register", "--age", "few"), "argumento --age: 'few' no es del tipo int"),
        (("completion", "cmd"), "argumento shell: 'cmd' no vale (elige entre"),
        (("rooms", "--json=yes"), "argumento --json: no lleva valor: sobra 'yes'"),
        (("rooms", "more"), "argumentos desconocidos: more"),
    ):
        status, printed = asked(capsys, *argv)
        assert status == 2
        assert said in printed
    assert "opciones:" in asked(capsys, "completion", "--help")[1]
    assert "argumentos:" in asked(capsys, "completion", "--help")[1]


def test_there_is_a_catalog_for_each_language_but_english() -> None:
    assert ("en", *(path.parts[-3] for path in CATALOGS)) == LANGUAGES


def test_english_loads_no_catalog_and_nothing_for_one() -> None:
    script = "import sys; old = set(sys.modules); from client import language; language.use('en', {}); language._('a')"
    script += "; print(*set(sys.modules) - old)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        cwd=ROOT,
        env=unmeasured.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert {name.split(".")[0] for name in done.stdout.split()} & {"gettext", "babel"} == set()


def test_numbers_have_their_forms(spanish: None) -> None:
    assert language.use("en") == "en"
    assert [ngettext("{n} new", "{n} newer", n) for n in (0, 1, 2)] == ["{n} newer", "{n} new", "{n} newer"]


def test_nothing_is_translated_to_nothing(spanish: None) -> None:
    assert _("") == ""
    assert _("What no catalog has.") == "What no catalog has."


def test_dates_are_in_the_order_of_the_language(spanish: None) -> None:
    when = datetime.datetime(2026, 3, 8, 9, 5)
    assert (long_date(when), short_date(when), moment(when)) == (
        "domingo 8 de marzo de 2026",
        "08/03/2026",
        "08/03/2026 09:05",
    )
    language.use("en")
    assert (long_date(when), short_date(when), moment(when)) == (
        "Sunday 8 March 2026",
        "2026-03-08",
        "2026-03-08 09:05",
    )


def test_several_languages_are_spoken_at_a_time(spanish: None) -> None:
    english, of_others = translator("en"), translator("es-AR")
    assert (english.lang, of_others.lang) == ("en", "es")
    assert (english.text("One moment…"), of_others.text("One moment…")) == ("One moment…", "Un momento…")
    assert english.sentence(NoSuchRoom()) == NoSuchRoom.sentence
    assert of_others.sentence(NoSuchRoom()) == "No hay ninguna sala con ese nombre."
    assert [english.number("{n} new", "{n} newer", n) for n in (1, 2)] == ["{n} new", "{n} newer"]
    assert _("One moment…") == "Un momento…", "what the process speaks is not touched"


@pytest.mark.parametrize("lang", ["de", "", "../../etc", "es" * 5_000, "\0", "e s"])
def test_a_language_that_nobody_speaks_here_is_english(lang: str) -> None:
    assert translator(lang) is translator("en")


# What is said of refusals


def test_in_english_an_error_says_its_own_sentence() -> None:
    assert sentence(errors.from_wire("no-such-room", "Gone since noon.")) == "Gone since noon."


def test_a_refusal_of_the_broker_is_said_by_its_sentence_or_else_by_its_code(spanish: None) -> None:
    assert sentence(NoSuchRoom()) == "No hay ninguna sala con ese nombre."
    assert sentence(errors.from_wire("no-such-room", "Gone since noon.")) == "No hay ninguna sala con ese nombre."
    assert sentence(errors.from_wire("of-tomorrow", "Try tomorrow.")) == "Try tomorrow."
    detailed = errors.from_wire("bad-name", "A name has 1 to 32 characters.")
    assert sentence(detailed) == "Un nombre tiene de 1 a 32 caracteres."


def test_what_the_client_has_said_in_its_language_stays_as_it_is(spanish: None) -> None:
    assert sentence(ChatError("Ya está dicho.")) == "Ya está dicho."
    assert sentence(RateLimited("Ya está dicho.", retry_after=3)) == "Ya está dicho."


def test_details_are_taken_over(spanish: None) -> None:
    assert sentence(BadName("A name holds letters, digits, '_', '-' and '.', but not '{'.")).endswith("pero no '{'.")
    assert sentence(BadRequest("First names: something is required.")) == "Nombre: no puede faltar."
    said = sentence(
        ChatError("No broker answered at [::1]:5570 within 2.5 s; is it running, and is the address right?")
    )
    assert "[::1]:5570 en 2.5 s" in said


def literals(path: Path) -> Iterator[tuple[ast.expr, str]]:
    """The literals of a module that are no docstrings, f-strings with `{}` for what is put in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bodies = [node.body for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list)]
    left_out = {line.value for body in bodies for line in body if isinstance(line, ast.Expr)}
    left_out |= {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node, "".join(parts)


def english() -> Iterator[tuple[str, str]]:
    """Every sentence that comes in English, from the broker or from what is below the programs."""
    for part in ("common", "broker/chat", "client/link"):
        for path in sorted((ROOT / part).rglob("*.py")):
            for _node, text in literals(path):
                if re.search(r"[a-z] .*[.?!]$", text.strip(), re.DOTALL):
                    yield path.relative_to(ROOT).as_posix(), text.replace("{}", "X1")


# Sentences that are shown to nobody who uses a client: of frames that a program of this tree does not make, of what
# only the operator asks, and of a start that fails.
NOT_TOLD = (
    "common/codec.py",
    "broker/chat/bots.py",
    "X1 is a room that somebody made; choose another default_room, or delete it first.",
)


@each_catalog
def test_every_sentence_that_comes_in_english_is_known(path: Path) -> None:
    catalog = gettext.translation(language.DOMAIN, language.CATALOGS, [path.parts[-3]])
    found = [(where, text) for where, text in english() if where not in NOT_TOLD and text not in NOT_TOLD]
    assert len(found) > 60
    # "The {what} {found} exists already": what a broker fills in is one of two words.
    asked = [(at, text.replace("The X1 X1", "The room X1").replace("the X1 X1", "the login X1")) for at, text in found]
    unknown = [each for each in asked if refusals.translated(each[1], catalog.gettext) is None]
    assert unknown == [], "add it to client/refusals.py, and its translation to the catalogs"


# The catalogs


def fields(text: str) -> list[str]:
    """What is put into a sentence, `%(name)s` and `{name}`."""
    named = [f"{name}!{conversion}:{spec}" for _text, name, spec, conversion in string.Formatter().parse(text) if name]
    return sorted(named + re.findall(r"%\(\w+\)[a-z]|%[a-z]", text))


def translations(path: Path) -> Iterator[tuple[Message, list[tuple[str, str]]]]:
    for message in catalogs.read(path):
        if message.id:
            originals = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            yield message, [(originals[min(at, len(originals) - 1)], text) for at, text in enumerate(strings)]


@each_catalog
def test_the_catalog_holds_what_the_code_says(path: Path) -> None:
    assert catalogs.renewed(path, catalogs.template()) == path.read_bytes(), "run: python -m scripts.catalogs"


@each_catalog
def test_everything_is_translated(path: Path) -> None:
    assert catalogs.lacking(catalogs.read(path)) == []


@each_catalog
def test_nothing_is_left_as_it_was_in_english(path: Path) -> None:
    def bare(text: str) -> str:
        return re.sub(r"\{[^}]*\}|%\(\w+\)[a-z]", "", text)

    pairs = [pair for _message, found in translations(path) for pair in found if pair[0] == pair[1]]
    assert [one for one, _same in pairs if re.search(r"[A-Za-z]{3}", bare(one)) and one.strip() not in THE_SAME] == []


# Texts that are the same in every language so far.
THE_SAME = {"%(prog)s: error: %(message)s", "bot", "(bot)", "emoji", "{n} min"}


@each_catalog
def test_translations_hold_the_same_fields(path: Path) -> None:
    wrong = [pair for _message, pairs in translations(path) for pair in pairs if fields(pair[0]) != fields(pair[1])]
    assert wrong == []


@each_catalog
def test_translations_begin_and_end_as_the_sentence_does(path: Path) -> None:
    def edges(text: str) -> tuple[str, str, str]:
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :], re.sub(r"[^.…:!?]", "", text[-1:])

    pairs = [pair for _message, found in translations(path) for pair in found]
    assert [pair for pair in pairs if edges(pair[0]) != edges(pair[1])] == []


@each_catalog
def test_plural_forms_are_there(path: Path) -> None:
    catalog: Catalog = catalogs.read(path)
    for message, pairs in translations(path):
        assert len(pairs) == (catalog.num_plurals if message.pluralizable else 1)


@each_catalog
def test_what_is_compiled_is_what_is_written(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        shipped = gettext.GNUTranslations(file)
    expected = gettext.GNUTranslations(BytesIO(catalogs.compiled(catalogs.read(path))))
    texts, wanted = ({key: text for key, text in vars(each)["_catalog"].items() if key} for each in (shipped, expected))
    assert texts == wanted, "run: python -m scripts.catalogs"
    assert len(texts) >= len(list(translations(path)))


def test_no_sentence_of_the_browsers_code_is_overlooked() -> None:
    """Who gathers them finds none within another's arguments, or within a template string with braces of its own."""
    found = json.loads(catalogs.SENTENCES.read_text(encoding="utf-8"))
    known = {*found["strings"], *(one for one, *_many in found["plurals"])}
    for path in catalogs.BROWSER.rglob("*.js"):
        code = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        said = {json.loads(each) for each in re.findall(r'\b(?:_|ngettext)\(("(?:[^"\\]|\\.)*")', code)}
        assert said <= known, path


def test_what_the_browser_is_told_is_what_its_code_says() -> None:
    assert catalogs.SENTENCES.read_text(encoding="utf-8") == catalogs.for_browser(), "run: python -m scripts.catalogs"
    told = json.loads(catalogs.SENTENCES.read_text(encoding="utf-8"))
    alone, of_numbers = set(told["strings"]), {one for one, _many in told["plurals"]}
    assert alone & of_numbers == set(), "with a number and without: which is meant?"


def test_sentences_are_found_in_javascript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted.js").write_text(
        "import { _, ngettext } from './language.js';\n"
        "/** Not _('in a comment'). */\n"
        "// For translators: of a room\n"
        'say(_("Gone from {name}", { name }));\n'
        'say(ngettext("{n} room", "{n} rooms", n), x / y, `${_("within")} it`, /["\']/.test(_("after")));\n'
        "say(_(table[1]), unmarked('Not this'));\n"
    )
    monkeypatch.setattr(catalogs, "BROWSER", tmp_path)
    assert [(texts, notes) for _path, texts, notes in catalogs.browser()] == [
        (("Gone from {name}",), ["of a room"]),
        (("{n} room", "{n} rooms"), []),
        (("within",), []),
        (("after",), []),
    ]


def test_the_catalogs_are_part_of_what_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", reason="could not import setuptools")
    command = [sys.executable, "-W", "ignore", "-c", "import setuptools; setuptools.setup()", "-q"]
    command += ["egg_info", "--egg-base", str(tmp_path), "build_py", "--build-lib", str(tmp_path / "lib")]
    subprocess.run(command, cwd=ROOT, env=unmeasured.environment(), capture_output=True, check=True)
    for path in CATALOGS:
        assert (tmp_path / "lib" / path.relative_to(ROOT).with_suffix(".mo")).read_bytes()
    assert (tmp_path / "lib" / catalogs.SENTENCES.relative_to(ROOT)).read_bytes()
    script = "from client import language; print(language.use('es'), language._('One moment…'))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path / "lib", capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "es Un momento…\n"


# That nothing is left out


def unmarked(path: Path) -> list[str]:
    """The literals of a module that look like sentences and are not marked: letters, and a space between them."""
    tree_nodes: set[ast.AST] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in catalogs.KEYWORDS:
                tree_nodes |= set(node.args)
            elif node.func.id in FOR_AUTHORS:
                tree_nodes |= set(ast.walk(node))
        elif isinstance(node, ast.Assert):
            tree_nodes |= set(ast.walk(node))
    marked_at = {(node.lineno, node.col_offset) for node in tree_nodes if isinstance(node, ast.expr)}
    return [
        text
        for node, text in literals(path)
        if (node.lineno, node.col_offset) not in marked_at
        and re.search(r"[^\W\d_]{2,}", text)
        and " " in text.strip()
        and not re.fullmatch(r"[#/][\w\\].*|bg:\S.*|.*class:.*|tertulia[ :].*", text.strip(), re.DOTALL)
        and text.strip() not in NOT_SHOWN
        and text not in of_classes(tree)
    ]


def of_classes(tree: ast.Module) -> set[str]:
    """What classes of errors say of themselves, which the catalogs hold as well."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
                    found.add(str(line.value.value))
    return found


def shown_modules() -> list[Path]:
    """The modules that speak to people: all of the client but the link, which speaks to programs."""
    paths = (path.relative_to(ROOT) for path in catalogs.sources())
    return [path for path in paths if path.parts[1] != "link" and path.as_posix() not in NO_SENTENCES]


@pytest.mark.parametrize("path", shown_modules(), ids=lambda path: path.as_posix())
def test_no_sentence_is_left_unmarked(path: Path) -> None:
    assert unmarked(ROOT / path) == []


@pytest.mark.parametrize("path", shown_modules(), ids=lambda path: path.as_posix())
def test_errors_are_shown_in_the_language(path: Path) -> None:
    """`error.message` is English; people are told `sentence(error)`."""
    if path.name == "language.py":
        return
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "message"]
    named = [ast.unparse(node.value).split(".")[-1] for node in asked]
    assert [name for name in named if name in ("error", "failure", "wrong", "refused", "fault")] == []


@pytest.mark.parametrize("path", shown_modules(), ids=lambda path: path.as_posix())
def test_nothing_else_is_called_as_the_marks_are(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    imported = [name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names]
    if "_" in imported:
        stored = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        arguments = [node for node in ast.walk(tree) if isinstance(node, ast.arg)]
        assert "_" not in {node.id for node in stored} | {node.arg for node in arguments}


def test_the_test_finds_what_is_not_marked(tmp_path: Path) -> None:
    module = tmp_path / "planted.py"
    module.write_text(
        '"""A docstring with words."""\n'
        "from client.language import _\n"
        'tell(_("This is marked."))\n'
        'tell("This is not.")\n'
        'tell(f"Nor is {this}.")\n'
        'raise ValueError("for the authors")\n'
        'tell("#lR", "/join chess", "class:title bold", "one")\n'
    )
    assert unmarked(module) == ["This is not.", "Nor is {}."]
