"""Numbers of a grid's jobs over several launches: drawn axes, drawn stops, drawn additions."""

import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pytest

from cnnsweep.errors import UserError
from cnnsweep.sweep.grid.numbering import Begun, GridJob, axes, numbered

Axes = dict[str, list[str]]


def jobs_of(values: Axes) -> list[tuple[str, ...]]:
    """As Hydra lists them: the axis that was typed first changes slowest."""
    return [
        tuple(f"{key}={value}" for key, value in zip(values, point, strict=True))
        for point in product(*values.values())
    ]


def config_of(job: Sequence[str]) -> dict[str, Any]:
    """A config in which every key that is not typed has the value 0."""
    typed = dict(line.split("=") for line in job)
    return {key: typed.get(key, "0") for key in ("a", "b", "c")}


def number(jobs: Sequence[tuple[str, ...]], begun: Mapping[int, Begun]) -> list[GridJob]:
    return numbered(jobs, begun, lambda place, _: config_of(jobs[place]), "folder")


def begun_of(jobs: Sequence[GridJob], *, words: bool = True) -> dict[int, Begun]:
    return {j.number: Begun(j.overrides if words else None, config_of(j.overrides)) for j in jobs}


def test_a_first_launch_numbers_as_hydra_does() -> None:
    jobs = jobs_of({"a": ["1", "2"], "b": ["x", "y", "z"]})
    found = number(jobs, {})
    assert [job.number for job in found] == list(range(6))
    assert found[4].swept == {"a": "2", "b": "y"}


@pytest.mark.parametrize("seed", range(60))
def test_every_config_that_is_there_keeps_its_number_over_four_launches(seed: int) -> None:
    draw = random.Random(seed)
    values: Axes = {key: ["0"] for key in draw.sample("abc", draw.randint(1, 3))}
    known: dict[int, Begun] = {}
    for _ in range(4):
        for key in [*values]:
            if draw.random() < 0.6:
                values[key].insert(draw.randint(0, len(values[key])), str(draw.randint(1, 10**6)))
        for key in "abc":  # an axis of one value, the default, may be typed or not
            if key not in values and draw.random() < 0.2:
                values = {key: ["0"], **values} if draw.random() < 0.5 else {**values, key: ["0"]}
        jobs = jobs_of(values)
        found = number(jobs, known)
        assert [job.overrides for job in found] == jobs
        numbers = {job.number for job in found}
        assert len(numbers) == len(jobs)
        assert numbers == set(range(len(jobs)))  # nothing was left out, and no number skipped
        by_number = {job.number: config_of(job.overrides) for job in found}
        assert all(by_number[n] == one.config for n, one in known.items())
        stop = draw.randint(0, len(found))  # a launch is stopped after some of its jobs
        first = sorted(found, key=lambda job: job.number)[:stop] if not known else found
        known = begun_of(first, words=draw.random() < 0.7) | known


def test_jobs_that_are_equal_are_each_one_job() -> None:
    jobs = [("a=1",), ("a=1",), ("a=2",)]
    first = number(jobs, {})
    again = number([("a=1",), ("a=2",), ("a=1",)], begun_of(first))
    assert [job.number for job in again] == [0, 2, 1]


def test_fewer_values_are_a_part_of_what_is_there() -> None:
    known = begun_of(number(jobs_of({"a": ["1", "2"], "b": ["1", "2"]}), {}))
    assert [job.number for job in number(jobs_of({"a": ["2"], "b": ["1", "2"]}), known)] == [2, 3]


def test_another_grid_is_refused_with_the_keys_that_differ() -> None:
    known = begun_of(number(jobs_of({"a": ["1", "2"]}), {}))
    with pytest.raises(UserError, match=r"holds a run of another config; these keys differ.*: b"):
        number(jobs_of({"a": ["1", "2"], "b": ["5"]}), known)
    with pytest.raises(UserError, match=r"folder/0 .* from a=3: a. Values may be added"):
        number(jobs_of({"a": ["2", "3"]}), known)


def test_the_same_words_with_another_config_behind_them_are_refused() -> None:
    jobs = jobs_of({"a": ["1", "2"]})
    known = begun_of(number(jobs, {}))
    with pytest.raises(UserError, match=r"folder/0 holds a run of another config.*: c"):
        numbered(jobs, known, lambda place, _: config_of(jobs[place]) | {"c": "9"}, "folder")


def test_a_config_that_has_its_number_in_it_is_found_by_number() -> None:
    jobs = jobs_of({"a": ["1", "2", "3"]})

    def resolve(place: int, number: int) -> dict[str, Any]:
        return config_of(jobs[place]) | {"number": number}

    first = numbered(jobs, {}, resolve, "folder")
    known = {j.number: Begun(None, resolve(j.number, j.number)) for j in first[:2]}
    assert [job.number for job in numbered(jobs, known, resolve, "folder")] == [0, 1, 2]


def test_a_job_that_had_not_begun_is_known_by_its_words() -> None:
    jobs = jobs_of({"a": ["1", "2"]})
    assert [j.number for j in number(jobs[::-1], {0: Begun(("a=1",), None)})] == [1, 0]


def test_axes_are_the_keys_that_differ() -> None:
    assert axes([("model=a", "seed=0", "epochs=1"), ("model=b", "seed=0", "epochs=1")]) == ["model"]
    assert axes([("a=1", "b=2"), ("a=2",)]) == ["a"]  # b is left out where the choice has none
    assert axes([("a=1",)]) == []
