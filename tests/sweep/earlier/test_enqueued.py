"""The default config and given points are enqueued once each, whatever happens in between."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.folders.sweep_folder import IS_DEFAULT
from cnnsweep.sweep.earlier import enqueued
from cnnsweep.sweep.earlier.enqueued import POINTS, enqueue_first
from cnnsweep.sweep.spec.plan import Given
from cnnsweep.sweep.study.coordination import TryLater
from tests.sweep.study.in_process import FailingStorage, make

GIVEN = ({"x": 0.25}, {"x": 0.75}, {"x": 1.0})


class Typed:
    """The key of the settings that is looked at."""

    points: str | None = "p.csv"


def enqueue(folder: Path, storage: FailingStorage, given: Given | None, n_trials: int = 5) -> Any:
    parts = make(folder, storage=storage, n_trials=n_trials)
    plan = replace(parts.search.plan, given=given)
    said: list[str] = []
    enqueue_first(parts.search.study, plan, Typed(), None, said.append)  # type: ignore[arg-type]
    return parts, said


def waiting(parts: Any) -> list[tuple[float, bool]]:
    trials = parts.search.study.get_trials(deepcopy=False)
    return [(t.system_attrs["fixed_params"]["x"], IS_DEFAULT in t.user_attrs) for t in trials]


@pytest.fixture(autouse=True)
def _default_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueued, "default_config", lambda *_: ({"x": 0.5}, None))
    monkeypatch.setattr(enqueued, "record_default", lambda *_: {"x": 0.5})


@pytest.mark.parametrize("after", [False, True], ids=["before it is written", "after"])
@pytest.mark.parametrize("is_among", [False, True])
def test_a_launch_that_ends_at_any_write_is_made_good_by_the_next(
    after: bool, is_among: bool, tmp_path: Path
) -> None:
    points = (*GIVEN[:1], {"x": 0.5}, *GIVEN[1:]) if is_among else GIVEN
    expected = [(p["x"], p["x"] == 0.5) for p in points]
    expected = expected if is_among else [(0.5, True), *expected]
    for call in range(40):
        storage = FailingStorage()
        make(tmp_path, storage=storage)
        storage.calls, storage.failing, storage.after = 0, range(call, call + 1), after
        try:
            parts, _ = enqueue(tmp_path, storage, Given("p.csv", points))
        except TryLater:
            storage.failing = range(0)
            parts, _ = enqueue(tmp_path, storage, Given("p.csv", points))
        else:
            if storage.calls <= call:
                break
        storage.failing = range(0)
        assert waiting(parts) == expected, call
        parts, said = enqueue(tmp_path, storage, None)
        assert (waiting(parts), said) == (expected, [])
    else:
        raise AssertionError("it does not come to its end")
    assert call > 5


def test_a_point_that_is_the_default_config_is_marked_also_where_that_does_not_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enqueued, "default_config", lambda *_: (None, None))
    storage, points = FailingStorage(), ({"x": 1.0}, {"x": 0.5})
    parts, _ = enqueue(tmp_path, storage, Given("p.csv", points))
    assert waiting(parts) == [(1.0, False), (0.5, True)]
    parts, _ = enqueue(tmp_path, storage, Given("p.csv", points))
    assert waiting(parts) == [(1.0, False), (0.5, True)]


def test_points_of_a_sweep_are_cut_to_the_room_and_grow_with_it(tmp_path: Path) -> None:
    storage, given = FailingStorage(), Given("old", GIVEN, may_be_cut=True)
    parts, said = enqueue(tmp_path, storage, given, n_trials=3)
    assert said == ["tried first: 2 points of old, the best of 3: there is room for no more"]
    assert [x for x, _ in waiting(parts)] == [0.5, 0.25, 0.75]
    parts, said = enqueue(tmp_path, storage, given, n_trials=9)
    assert [x for x, _ in waiting(parts)] == [0.5, 0.25, 0.75, 1.0]
    assert said == ["tried first: 1 more point of old"]
    assert parts.search.study.user_attrs[POINTS] == list(GIVEN)


def test_what_others_enqueued_comes_in_place_of_the_default_config_and_a_line_says_so(
    tmp_path: Path,
) -> None:
    storage = FailingStorage()
    make(tmp_path, storage=storage).search.study.enqueue_trial({"x": 0.1})
    parts, said = enqueue(tmp_path, storage, Given("p.csv", ()))
    assert waiting(parts) == [(0.1, False)]
    assert said == [
        "note: the default config is no trial of this search: in its place come those that others "
        "have enqueued in study 'test'"
    ]


def test_what_was_tried_already_is_not_tried_again(tmp_path: Path) -> None:
    storage = FailingStorage()
    parts, _ = enqueue(tmp_path, storage, Given("a.csv", GIVEN[:1]))
    for _ in range(2):
        parts.search.asker.ask()
    parts, _ = enqueue(tmp_path, storage, Given("b.csv", ({"x": 0.5}, GIVEN[0], GIVEN[1])))
    trials = parts.search.study.get_trials(deepcopy=False)
    assert [t.system_attrs["fixed_params"]["x"] for t in trials] == [0.5, 0.25, 0.75]
