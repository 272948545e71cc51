"""Made conditional spaces: finite ones, whose parameters depend on those before them."""

from random import Random
from typing import Any

from cnnsweep.sweep.spec.space.search_space import SearchSpace, read_space
from cnnsweep.sweep.spec.space.settle import settled

SPACES: dict[str, list[Any]] = {
    "a, b": ["a", "b"],
    "true, false": [True, False],
    "range(1, 4)": [1, 2, 3],
    "16, 32, 64": [16, 32, 64],
    "choice(x)": ["x"],
}


class NothingFixed:
    """No key but those that are drawn."""

    def values(self, _key: str) -> list[Any]:
        return []

    def options(self, _key: str) -> list[str]:
        return []

    def names(self) -> list[str]:
        return []


def made_params(seed: int, most: int = 6) -> dict[str, Any]:
    """The ``params`` of a space, in an order of chance."""
    chance = Random(seed)
    found: dict[str, Any] = {}
    values: dict[str, list[Any]] = {}
    for number in range(chance.randint(2, most)):
        name = f"p.k{number}"
        text = chance.choice(list(SPACES))
        others = chance.sample(list(values), min(len(values), chance.randint(0, 2)))
        when = {
            key: chance.sample(values[key], chance.randint(1, len(values[key]))) for key in others
        }
        found[name] = {"space": text, "when": when} if when else text
        values[name] = SPACES[text]
    keys = list(found)
    chance.shuffle(keys)
    return {key: found[key] for key in keys}


def made_space(params: dict[str, Any]) -> SearchSpace:
    """The space of ``params`` alone; raises UserError where a condition can never hold."""
    found, never = settled(read_space(params, [], None), NothingFixed())  # type: ignore[arg-type]
    assert never == {}
    return found


def points_by_hand(params: dict[str, Any]) -> list[dict[str, Any]]:
    """Every active combination, found by trying all values in the order of the names."""
    found: list[dict[str, Any]] = [{}]
    for name in sorted(params):
        entry = params[name]
        text, when = (entry, {}) if isinstance(entry, str) else (entry["space"], entry["when"])
        longer = []
        for point in found:
            is_active = all(key in point and point[key] in ones for key, ones in when.items())
            longer += [point | {name: v} for v in SPACES[text]] if is_active else [point]
        found = longer
    return found
