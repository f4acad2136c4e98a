"""Whatever is marked, left, deleted, refused by the disk and started again: all devices show what the broker holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from common import messages as m
from common.limits import MARK_KEPT_S
from tests.support.circle import Circle, Ear

Shown = dict[str, tuple[int, str | None]]
BLANK = (0, None)
ROOMS = ("Dev", "Straße")
SPELLED = {
    "lobby": ["lobby", "LOBBY", "ｌｏｂｂｙ"],
    "Dev": ["Dev", "dev", "ＤＥＶ"],
    "Straße": ["Straße", "STRASSE"],
    "@Bob": ["@Bob", "@bob", "@ＢＯＢ"],
    "@ana": ["@ana", "@ANA"],
}
talks = st.sampled_from(sorted(SPELLED)).flatmap(lambda talk: st.tuples(st.just(talk), st.sampled_from(SPELLED[talk])))
devices = st.sampled_from(["ana", "phone", "tablet"])
reads = st.none() | st.integers(0, 40)
wishes = st.none() | st.sampled_from(["all", "mentions", "off"])


def of_state(state: m.SessionState) -> Shown:
    """What a session is told when it begins."""
    shown = {view.name: (view.read, view.notify) for view in state.rooms}
    return {**shown, **{talk.talk: (talk.read, talk.notify) for talk in state.talks}}


@dataclass
class Device:
    """One session of ana: it begins with its state, and goes on with events."""

    ear: Ear
    shown: Shown = field(default_factory=dict)

    def listen(self) -> None:
        for _, event in self.ear.take():
            if isinstance(event, m.Marked):
                self.shown[event.talk] = event.read, event.notify
            elif isinstance(event, m.JoinedRoom):
                self.shown[event.room.name] = event.room.read, event.room.notify
            elif isinstance(event, m.LeftRoom):
                self.shown.pop(event.name, None)


class Marking(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.circle = Circle()
        self.circle.register("ana")
        self.circle.register("Bob", "bob")
        for key in ("phone", "tablet"):
            self.circle.log_in("ana", key)
        self.devices: dict[str, Device] = {}
        self.marks: Shown = {}
        """What was answered."""
        self.kept: Shown = {}
        """What is on disk."""
        self.meet()

    def meet(self) -> None:
        """Everybody connects, and every device takes its state."""
        self.circle.listen("bob", "@Bob")
        self.devices = {key: Device(self.circle.listen(key, "@ana")) for key in ("ana", "phone", "tablet")}
        for key, device in self.devices.items():
            device.ear.take()
            device.shown = of_state(self.state(key))

    def state(self, key: str) -> m.SessionState:
        welcome = self.circle.ask(key, m.Hello(versions=[1]))
        state: m.SessionState = welcome.session
        return state

    def heads(self) -> dict[str, int]:
        found: dict[str, int] = self.circle.ask("ana", m.Ping()).heads
        return found

    def granted(self, key: str, command: m.Command) -> bool:
        return isinstance(self.circle.ask(key, command), m.Reply)

    def forget(self, room: str) -> None:
        self.marks.pop(room, None)
        self.kept.pop(room, None)

    @rule(device=devices, talk=talks, read=reads, notify=wishes, fail=st.booleans())
    def mark(self, device: str, talk: tuple[str, str], read: int | None, notify: Any, fail: bool) -> None:
        name, spelled = talk
        heads = self.heads()
        member = name in heads
        if fail:
            with self.circle.holding(fail=True):
                answer = self.circle.ask(device, m.Mark(talk=spelled, read=read, notify=notify))
            self.circle.later(0.2)
            answer = answer or self.circle.replies.popitem()[1]
        else:
            answer = self.circle.ask(device, m.Mark(talk=spelled, read=read, notify=notify))
        if not member and not name.startswith("@"):
            assert answer.code in ("not-member", "no-such-room")
            return
        old_read, old_notify = self.marks.get(name, BLANK)
        head = heads["@ana" if name.startswith("@") else name]
        new = max(old_read, min(read or 0, head)), notify or old_notify
        wished = new[1] != old_notify
        if wished and fail:
            assert answer.code == "storage-failed"
            return
        assert answer.ok
        if new != (old_read, old_notify):
            self.marks[name] = new
            if wished:
                self.kept[name] = new

    @rule(room=st.sampled_from(["lobby", *ROOMS]), count=st.integers(1, 3))
    def say(self, room: str, count: int) -> None:
        for _ in range(count):
            self.circle.say("bob", room, "hola")
            self.circle.direct("bob", "ana", "hola")

    @rule(room=st.sampled_from(ROOMS), key=st.sampled_from(["ana", "bob"]))
    def make_or_join(self, room: str, key: str) -> None:
        if not self.granted(key, m.Join(room=room)):
            self.circle.ask(key, m.Create(room=room, kept=True))

    @rule(room=st.sampled_from(ROOMS))
    def leave(self, room: str) -> None:
        if self.granted("ana", m.Leave(room=room)):
            self.forget(room)

    @rule(room=st.sampled_from(ROOMS))
    def leave_in_vain(self, room: str) -> None:
        with self.circle.holding(fail=True):
            self.circle.ask("ana", m.Leave(room=room))
        self.circle.replies.clear()

    @rule(room=st.sampled_from(ROOMS), key=st.sampled_from(["ana", "bob"]), fail=st.booleans())
    def delete(self, room: str, key: str, fail: bool) -> None:
        if fail:
            with self.circle.holding(fail=True):
                self.circle.ask(key, m.Delete(room=room))
            self.circle.replies.clear()
        elif self.granted(key, m.Delete(room=room)):
            self.forget(room)

    @rule()
    def wait(self) -> None:
        self.circle.later(MARK_KEPT_S + 0.2)
        self.kept = dict(self.marks)

    @rule()
    def go_and_come_back(self) -> None:
        for key in ("ana", "phone", "tablet"):
            self.circle.hang_up(self.devices[key].ear)
        self.circle.later(30)
        self.kept = dict(self.marks)
        self.meet()

    @rule()
    def close_and_start(self) -> None:
        self.circle.carry_out(self.circle.chat.close(self.circle.now))
        self.kept = dict(self.marks)
        self.circle.start()
        self.meet()

    @rule()
    def be_killed_and_start(self) -> None:
        self.circle.start()
        self.meet()
        held = of_state(self.state("ana"))
        for talk, (read, wish) in self.marks.items():
            if talk.startswith("@") or talk in held:
                now = held.get(talk, BLANK)
                assert self.kept.get(talk, BLANK)[0] <= now[0] <= read, "lost at most to where it was kept"
                assert now[1] == wish, "a wish is not lost"
                self.marks[talk] = now
        self.kept = dict(self.marks)

    @invariant()
    def every_device_shows_what_the_broker_holds(self) -> None:
        held = of_state(self.state("ana"))
        rooms = {room for room in held if not room.startswith("@")}
        expected = {talk: mark for talk, mark in self.marks.items() if talk in rooms or mark != BLANK}
        expected = {talk: mark for talk, mark in expected.items() if talk.startswith("@") or talk in rooms}
        assert {**dict.fromkeys(rooms, BLANK), **expected} == held
        for device in self.devices.values():
            device.listen()
            said = {talk: mark for talk, mark in device.shown.items() if mark != BLANK or talk in rooms}
            assert said == held, "a blank mark of a person is none"

    @invariant()
    def nobody_else_has_any(self) -> None:
        assert set(of_state(self.state("bob")).values()) <= {BLANK}


TestMarking = Marking.TestCase
TestMarking.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
