"""What is proposed at the cursor: commands, rooms, people, and nothing where nothing is wanted."""

from __future__ import annotations

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from client.link.updates import Arrived, RoomJoined
from client.tui.model.state import Model
from client.tui.typing.complete import Completing
from client.typed.completion import MOST
from tests.client.tui.fake_chat import said, view


@pytest.fixture
def model() -> Model:
    model = Model("ana")
    for id, name in enumerate(("lobby", "chess"), 1):
        model.apply(RoomJoined(view(name, id)))
    model.here.members = {"ana": True, "bob": True, "beatriz": False}
    model.known_users = ["carla", "bob"]
    model.known_rooms = ["checkers", "chess"]
    model.open("@dora")
    model.apply(Arrived("lobby", said("eva", "hi", 1), False))
    return model


def proposed(model: Model, text: str, tab: bool = False) -> list[str]:
    """The line after each proposal."""
    document = Document(text)
    found = Completing(model).get_completions(document, CompleteEvent(completion_requested=tab))
    return [text[: len(text) + each.start_position] + each.text for each in found]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("/jo", ["/join "]),
        ("#c", ["#cR "]),
        ("#C", ["#cR "]),
        ("#sh", ["#show users"]),
        ("#\\", ["#\\private "]),
        ("/join che", ["/join chess", "/join checkers"]),
        ("/join #che", ["/join chess", "/join checkers"]),
        ("/join ", ["/join lobby", "/join chess", "/join checkers"]),
        ("/msg b", ["/msg bob ", "/msg beatriz "]),
        ("/msg @c", ["/msg carla "]),
        ("/msg D", ["/msg dora "]),
        ("#\\private<bo", ["#\\private<bob> "]),
        ("#\\private bo", ["#\\private bob "]),
        ("/msg bob h", []),
        ("/invite carla ch", ["/invite carla chess", "/invite carla checkers"]),
        ("/create --k", ["/create --keep "]),
        ("/create --keep --o", ["/create --keep --open "]),
        ("/help jo", ["/help /join"]),
        ("/profile su", ["/profile surnames "]),
        ("hello @b", ["hello @bob ", "hello @beatriz "]),
        ("hello b", []),
        ("hello #che", ["hello #chess", "hello #checkers"]),
        ("hello :thumbsu", ["hello :thumbsup: "]),
        ("hello :t", []),
        ("at 12:30", []),
        ("/msg bob see @b", ["/msg bob see @bob ", "/msg bob see @beatriz "]),
        ("/react :tada", ["/react :tada: "]),
        ("/react ^eva :tada", ["/react ^eva :tada: "]),
        ("/react ^e", ["/react ^eva "]),
        ("/reply @b", ["/reply @bob ", "/reply @beatriz "]),
        ("/notify m", ["/notify mentions "]),
        ("/seen o", ["/seen on ", "/seen off "]),
        ("/go chs", ["/go chess"]),
        ("//jo", []),
        ("", []),
    ],
)
def test_while_typing(model: Model, text: str, lines: list[str]) -> None:
    assert proposed(model, text) == lines


def test_tab_completes_people_anywhere(model: Model) -> None:
    assert proposed(model, "bo", tab=True) == ["bob: "]
    assert proposed(model, "hello bo", tab=True) == ["hello bob "]
    assert proposed(model, "hello ", tab=True) == []
    assert proposed(model, "an", tab=True) == []


def test_no_more_than_anybody_reads(model: Model) -> None:
    model.known_users = [f"x{number}" for number in range(5_000)]
    assert len(proposed(model, "/msg x")) == MOST


def test_every_beginning_of_a_command_is_harmless(model: Model) -> None:
    for line in (r"#\private<bob> hi", "/create --keep go", "#show users", "/profile age 3"):
        for end in range(len(line) + 1):
            proposed(model, line[:end], tab=True)
