"""The jobs of a grid, and their numbers over all launches.

At the first launch they are those of Hydra's basic sweeper. Later a config that is there keeps its
number, whatever was added to the axes, and new ones get the next that are free.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnsweep.errors import UserError, and_more
from cnnsweep.folders.run_folder import comparable, differing_keys

SEED = "seed"  # jobs that differ in it alone repeat one setting
Resolve = Callable[[int, int], Mapping[str, Any]]


@dataclass(frozen=True)
class GridJob:
    """One job: its number and overrides; ``swept`` are its values of the grid's axes, as typed."""

    number: int
    overrides: tuple[str, ...]
    swept: dict[str, str]


@dataclass(frozen=True)
class Begun:
    """What an earlier launch left of a job; ``config`` is None where its run had not begun."""

    overrides: tuple[str, ...] | None
    config: dict[str, Any] | None


def axes(jobs: Sequence[Sequence[str]]) -> list[str]:
    """The keys whose values differ between jobs, in the order in which they were typed."""
    values: dict[str, set[str]] = defaultdict(set)
    by_job = [_values(job) for job in jobs]
    for key in dict.fromkeys(key for found in by_job for key in found):
        values[key] = {found[key] for found in by_job if key in found}
    return [key for key, found in values.items() if len(found) > 1]


def numbered(
    jobs: Sequence[tuple[str, ...]],
    begun: Mapping[int, Begun],
    resolve: Resolve,
    folder: object,
    *,
    is_ours: bool = True,
) -> list[GridJob]:
    """The jobs with their numbers, in the order in which they were typed.

    Args:
        jobs: the overrides of each.
        begun: what earlier launches left, by number.
        resolve: the resolved config of the job at a place of ``jobs`` under a number.
        folder: the sweep folder, for messages.
        is_ours: whether their configs are those of our runs, of which some keys do not count.

    Raises:
        UserError: this grid has jobs that the earlier one had not, and lacks some that it had; or
            another config stands behind the same words.
    """
    known = _matched(jobs, begun, resolve, is_ours) if begun else {}
    for place, number in known.items():
        config = begun[number].config
        if config is None:
            continue
        differing = differing_keys(config, resolve(place, number), is_ours=is_ours)
        if differing:
            raise _of_another_config(folder, number, differing)
    matched = set(known.values())
    left = [number for number in begun if number not in matched]
    new = [place for place in range(len(jobs)) if place not in known]
    if left and new:
        raise _mixed(folder, left, begun, jobs[new[0]], resolve(new[0], new[0]))
    names = axes(jobs)
    free = (number for number in range(len(jobs) + len(begun)) if number not in begun)
    numbers = known | dict(zip(new, free, strict=False))
    return [GridJob(numbers[k], job, _swept(job, names)) for k, job in enumerate(jobs)]


def _matched(
    jobs: Sequence[tuple[str, ...]], begun: Mapping[int, Begun], resolve: Resolve, is_ours: bool
) -> dict[int, int]:
    """The number of each job that has begun, by its place; equal jobs in their order."""
    by_words, by_config = _Numbers(), _Numbers()
    for number, one in sorted(begun.items()):
        by_words.add(one.overrides, number)
        if one.config is not None:
            by_config.add(identity(one.config, is_ours=is_ours), number)
    known = {k: by_words.take(job) for k, job in enumerate(jobs)}
    found = {place: number for place, number in known.items() if number is not None}
    taken = set(found.values())
    if len(taken) < len(begun):
        for place in (k for k in range(len(jobs)) if k not in found):
            same = by_config.take(identity(resolve(place, place), is_ours=is_ours), taken)
            if same is not None:
                found[place] = same
                taken.add(same)
    return found


class _Numbers:
    """Numbers of jobs by something that they have in common; each is taken once."""

    def __init__(self) -> None:
        self._by: dict[object, list[int]] = defaultdict(list)

    def add(self, key: object, number: int) -> None:
        self._by[key].append(number)

    def take(self, key: object, taken: Iterable[int] = ()) -> int | None:
        numbers = [number for number in self._by.get(key, ()) if number not in taken]
        self._by[key] = numbers[1:]
        return numbers[0] if numbers else None


def identity(config: Mapping[str, Any], *, is_ours: bool = True) -> str:
    """The same for two runs that are the same."""
    return json.dumps(comparable(config, is_ours=is_ours), sort_keys=True, default=str)


def _values(job: Iterable[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in job)
    return {key.lstrip("+"): value for key, _, value in pairs}


def _swept(job: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    values = _values(job)
    return {name: values[name] for name in names if name in values}


def names_of(jobs: Iterable[GridJob]) -> list[str]:
    """The axes of numbered jobs."""
    return list(dict.fromkeys(name for job in jobs for name in job.swept))


def _of_another_config(folder: object, number: int, differing: list[str]) -> UserError:
    return UserError(
        f"{folder}/{number} holds a run of another config; these keys differ: "
        f"{', '.join(differing)}. Choose another folder, or type the same config"
    )


def _mixed(
    folder: object,
    left: list[int],
    begun: Mapping[int, Begun],
    new: tuple[str, ...],
    resolved: Mapping[str, Any],
) -> UserError:
    """Say in which keys a new job differs from the most similar one that this grid lacks."""
    compared = {
        number: differing_keys(before, resolved)
        for number in left
        if (before := begun[number].config) is not None
    }
    if not compared:
        return UserError(
            f"{folder} holds jobs that this grid lacks: {and_more(_said(left, begun))}. Values may "
            "be added, none left out; or choose another folder"
        )
    nearest = min(compared, key=lambda number: len(compared[number]))
    return UserError(
        f"{folder}/{nearest} holds a run of another config; these keys differ from "
        f"{' '.join(new) or 'the job'}: {', '.join(compared[nearest])}. Values may be added to a "
        "grid, none left out; or choose another folder"
    )


def _said(left: list[int], begun: Mapping[int, Begun]) -> Iterator[str]:
    for number in left:
        yield f"{number} ({' '.join(begun[number].overrides or ())})"
