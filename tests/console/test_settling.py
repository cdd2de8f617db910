"""Waiting over the API until nothing is left to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import pytest
from crm_console.settling import StillBehind, settle


class World:
    """Contexts and views as their positions tell of them; `looks` counts the rounds of asking."""

    def __init__(self) -> None:
        self.heads = {"contacts": 3, "pipeline": 5, "ticketing": 0, "campaigns": 0}
        self.reacted = {"pipeline": {"contacts": 3}, "contacts": {"pipeline": 5}}
        self.viewed = {"contacts": 3, "pipeline": 5}
        self.looks = 0
        self.on_look: Callable[[World], None] = lambda _: None

    def send(self, method: str, path: str, **_: Any) -> Any:
        assert method == "GET"
        if path == "/v1/views/position":
            return {"position": dict(self.viewed), "views": {}}
        name = path.split("/")[2]
        if name == "contacts":
            self.looks += 1
            self.on_look(self)
        return {"sequence": self.heads[name], "reacted": dict(self.reacted.get(name, {}))}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_left_to_see_ends_at_once(world: World) -> None:
    settle(world)
    assert world.looks == 2


def test_views_that_lag_are_waited_for(world: World) -> None:
    def catch_up(found: World) -> None:
        found.viewed["pipeline"] = min(5, found.looks)

    world.viewed["pipeline"] = 0
    world.on_look = catch_up
    settle(world)
    assert world.looks == 5


def test_what_reactions_make_of_it_is_waited_for(world: World) -> None:
    """The reaction of contacts writes an event, which the views are to have seen in the end."""

    def react(found: World) -> None:
        if found.looks == 3:
            found.reacted["contacts"] = {"pipeline": 5}
            found.heads["contacts"] = 4
        if found.looks == 6:
            found.reacted["pipeline"] = {"contacts": 4}
            found.viewed["contacts"] = 4

    world.reacted["contacts"] = {"pipeline": 4}
    world.on_look = react
    settle(world)
    assert (world.viewed["contacts"], world.looks) == (4, 6)


def test_others_who_keep_writing_do_not_hold_it_up(world: World) -> None:
    def go_on(found: World) -> None:
        found.heads["pipeline"] += 1
        found.viewed["pipeline"] = found.reacted["contacts"]["pipeline"] = found.heads["pipeline"]

    world.on_look = go_on
    settle(world)
    assert world.looks < 10


Stuck = Mapping[str, Any]


@pytest.mark.parametrize(
    ("stuck", "who"),
    [
        ({"viewed": {"contacts": 3, "pipeline": 4}}, "the views of pipeline"),
        ({"reacted": {"ticketing": {"contacts": 2}}}, "the reactions of ticketing"),
    ],
    ids=["views", "reactions"],
)
def test_what_does_not_move_is_named(world: World, stuck: Stuck, who: str) -> None:
    for name, value in stuck.items():
        setattr(world, name, value)
    with pytest.raises(StillBehind, match=rf"^Waited 0\.05 s for {who}; see `crm parked list`"):
        settle(world, patience=0.05)


def test_movement_begins_the_wait_anew(world: World) -> None:
    def creep(found: World) -> None:
        found.viewed["pipeline"] = min(found.looks // 2, 12)

    world.heads["pipeline"] = world.reacted["contacts"]["pipeline"] = 12
    world.on_look = creep
    settle(world, patience=1.5)
    assert world.viewed["pipeline"] == 12
