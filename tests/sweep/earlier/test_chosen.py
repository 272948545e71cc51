"""Among how many trials a winner was chosen, where it came as a point of an earlier sweep."""

import json
from pathlib import Path
from random import Random

import pytest
import yaml
from omegaconf import OmegaConf

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import IS_DEFAULT, POINT, POINTS_OF, RESULTS
from cnnsweep.sweep.earlier.chosen import counts_of, record_chosen
from cnnsweep.sweep.gain import gain_lines
from cnnsweep.sweep.results import write_results
from cnnsweep.sweep.spec.plan import Given
from cnnsweep.sweep.study.search import Search
from tests.sweep.test_results import make_search

IMAGES = {"train": 1000, "val": None, "test": 5, "hash": "one"}


def run(folder: Path, seed: int = 0, images: str = "one", share: float = 0.1) -> RunFolder:
    folder.mkdir(parents=True)
    config = {"data": {"train_limit": None, "val_fraction": share}, "seed": seed}
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(config)))
    (folder / "result.json").write_text(json.dumps({"data": IMAGES | {"hash": images}}))
    return RunFolder(folder)


def searched(folder: Path, given: Given, values: list[float]) -> Search:
    """The default config, the given points, and what comes after them."""
    search = make_search(folder / "sweep", confirm=0, objective="val_accuracy")
    search.study.enqueue_trial({"x": 0.5, "n": 3}, user_attrs={IS_DEFAULT: True})
    for number, point in enumerate(given.points):
        search.study.enqueue_trial(dict(point), user_attrs={POINT: number})
    record_chosen(search.study, given)
    for value in values:
        number = search.asker.ask().number
        run(folder / "sweep" / str(number))
        search.study.tell(number, value)
    return search


def points_of(search: Search) -> int:
    write_results(search.plan.sweep, [search])
    found = yaml.safe_load((search.plan.sweep / RESULTS).read_text())
    return int(found.get(POINTS_OF, 0))


@pytest.mark.parametrize("seed", range(8))
def test_a_given_winner_was_chosen_among_the_trials_of_its_folder_too(
    seed: int, tmp_path: Path
) -> None:
    draw = Random(seed)
    number, given, more = draw.randint(3, 20), draw.randint(1, 3), draw.randint(0, 3)
    counts = counts_of(run(tmp_path / "old" / str(n)) for n in range(number))
    points = tuple({"x": 0.1 + 0.2 * n, "n": 1} for n in range(given))
    source = Given("old", points, may_be_cut=True, chosen_of=counts)
    search = searched(tmp_path, source, [0.5, *[0.9] * given, *[0.6] * more])
    besides = number - given
    assert points_of(search) == besides
    told = f"a winner's value is the best of {number + 1 + more} tried"
    told += f", {besides} of them in the sweep that its point is from," if besides else ""
    assert f"{told} and so looks better" in gain_lines(search)[-1]
    record_chosen(search.study, source)  # as a later launch does
    assert points_of(search) == besides


@pytest.mark.parametrize(
    ("other", "best"),
    [({"seed": 1}, 1), ({"images": "two"}, 1), ({"share": 0.2}, 1), ({}, 0), ({}, 3)],
    ids=["other seed", "other data", "other split", "default wins", "a drawn one wins"],
)
def test_who_was_not_chosen_there_on_these_images_is_the_best_of_those_here(
    other: dict[str, float], best: int, tmp_path: Path
) -> None:
    counts = counts_of(run(tmp_path / "old" / str(n), **other) for n in range(7))  # type: ignore[arg-type]
    given = Given("old", ({"x": 0.1, "n": 1}, {"x": 0.2, "n": 1}), chosen_of=counts)
    values = [0.5] * 4
    values[best] = 0.9
    search = searched(tmp_path, given, values)
    assert points_of(search) == 0
    assert "the best of 4 tried and so looks better" in gain_lines(search)[-1]


def test_points_of_a_folder_with_other_images_take_nothing_from_another_folders_trials(
    tmp_path: Path,
) -> None:
    points = tuple({"x": 0.1 + 0.2 * n, "n": 1} for n in range(3))
    others = counts_of(run(tmp_path / "other" / str(n), images="two") for n in range(9))
    alike = counts_of(run(tmp_path / "old" / str(n)) for n in range(5))
    search = searched(tmp_path, Given("other", points, chosen_of=others), [0.5, 0.9, 0.6, 0.6])
    record_chosen(search.study, Given("old", points[:1], chosen_of=alike))
    assert points_of(search) == 5 - 1
