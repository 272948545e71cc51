"""Several searches of one space: folders, seeds, results, kills, and what is refused."""

import itertools
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from cnnsweep.folders.winner import chosen_run
from cnnsweep.report.read.load_runs import gather
from cnnsweep.sweep.several_searches import lines_over_searches, unconfirmed
from cnnsweep.sweep.spec.messages import Finished
from tests.command import cnnsweep, succeeded
from tests.sweep.study.in_process import make
from tests.sweep.sweep_commands import (
    OURS,
    TOY,
    TOY_SPACE,
    Done,
    command,
    kill_in_training,
    study,
    sweep,
    table,
    to_its_end,
)

CHOICES, TINY = ("simple", "lenet"), ("data=digits", "data.train_limit=200", "epochs=1")
COMPARE = ("search=compare", f"hydra.sweeper.compare={{model:[{','.join(CHOICES)}]}}", *TINY)
TWO = ("hydra.sweeper.searches=2", "hydra.sweeper.n_trials=2", "hydra.sweeper.confirm=2")
PLACES = [f"{choice}/search_{k}" for k in range(2) for choice in CHOICES]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    folder = tmp_path_factory.mktemp("several") / "sweep"
    return folder, sweep(OURS[:1], folder, *COMPARE, *TWO, "seed=5")


def seeds(folder: Path) -> dict[str, int]:
    """The seed of each run below a search, by place."""
    files = folder.rglob(".hydra/config.yaml")
    found = {path.parent.parent: OmegaConf.load(path).seed for path in files}
    return {str(run.relative_to(folder)): seed for run, seed in found.items()}


def params(folder: Path, place: str) -> list[dict[str, Any]]:
    return [trial.params for trial in study(folder / place, f"cnnsweep/{place}").trials]


def test_each_search_has_a_study_and_seeds_of_its_own(compared: tuple[Path, Done]) -> None:
    folder, done = compared
    assert done.code == 0, done.text
    for choice in CHOICES:
        assert seeds(folder / choice / "search_0") == {
            "0": 5,
            "1": 5,
            "confirm/6": 6,
            "confirm/7": 7,
        }
        own = {"0": 1005, "1": 1005, "confirm/1006": 1006, "confirm/1007": 1007}
        assert seeds(folder / choice / "search_1") == own


def test_searches_draw_other_points_and_choices_the_same(compared: tuple[Path, Done]) -> None:
    folder, _ = compared
    first, second = params(folder, PLACES[0]), params(folder, PLACES[2])
    assert first[0] == second[0] == {
        "optim.lr": 0.01, "optim.momentum": 0.9, "data.batch_size": 32,
    }  # fmt: skip
    assert first[1] != second[1]
    assert [params(folder, place) for place in PLACES] == [first, first, second, second]


def test_any_folder_stands_for_its_best_run(compared: tuple[Path, Done]) -> None:
    folder, _ = compared
    written: Any = OmegaConf.load(folder / "optimization_results.yaml")
    assert set(written) == {"name", *CHOICES}
    for choice in CHOICES:
        own = OmegaConf.load(folder / choice / "optimization_results.yaml")
        assert own == {"name": "optuna"} | written[choice]
        for name in ("search_0", "search_1"):
            of_search = OmegaConf.load(folder / choice / name / "optimization_results.yaml")
            assert of_search == {"name": "optuna"} | written[choice][name]
            assert chosen_run(folder / choice / name).run.parent == folder / choice / name
        assert chosen_run(folder / choice).run.parent.parent == folder / choice
    best = chosen_run(folder).run
    assert (best / "best.pt").exists()
    kept = {path.parent.relative_to(folder) for path in folder.glob("*/*/[0-9]*/best.pt")}
    assert {str(place.parent) for place in kept} == {*PLACES}  # one of each search


def test_the_last_lines_are_short(compared: tuple[Path, Done]) -> None:
    lines = compared[1].text.splitlines()
    ends = lines[next(n for n, line in enumerate(lines) if line.startswith("simple/search_0: ")) :]
    heads = ["simple/search_0: trial ", "simple/search_1: trial ", "simple over 2 searches: "]
    heads += ["lenet/search_0: trial ", "lenet/search_1: trial ", "lenet over 2 searches: "]
    assert all(line.startswith(head) for line, head in zip(ends, heads, strict=False)), ends
    assert all("test_accuracy" in ends[n] and "; sd of these means" in ends[n] for n in (2, 5))
    assert ends[6].startswith("to train the final model")
    assert sum("searches, each of 2 trials over optim.lr" in line for line in lines) == 2


def test_the_report_has_each_run_in_its_search(compared: tuple[Path, Done]) -> None:
    folder, done = compared
    assert f"report: {folder / 'report/index.html'}" in done.text
    found = gather([folder])
    for run in found.runs:
        assert run.sweep is not None
        assert str(run.sweep.relative_to(folder)) in PLACES
        assert run.role == ("confirm" if run.folder.parent.name == "confirm" else "search")
    assert len(found.runs) == 4 * (2 + 2)


def test_more_searches_are_added_and_fewer_refused(compared: tuple[Path, Done]) -> None:
    folder, _ = compared
    journals = [folder / place / "study.journal" for place in PLACES]
    runs = {p: p.read_bytes() for p in folder.glob("*/search_[01]/*/metrics.csv")}
    before = [journal.read_bytes() for journal in journals]
    again = (*COMPARE, *TWO[1:], "seed=5")
    fewer = sweep(OURS[:1], folder, *again)
    assert fewer.code == 1
    assert "hydra.sweeper.searches=1 is fewer than the 2 that" in fewer.text
    more = sweep(OURS[:1], folder, *again, "hydra.sweeper.searches=3")
    assert more.code == 0, more.text
    assert {p: p.read_bytes() for p in folder.glob("*/search_[01]/*/metrics.csv")} == runs
    for journal, text in zip(journals, before, strict=True):
        assert journal.read_bytes().startswith(text)
        assert (
            len(study(journal.parent, f"cnnsweep/{journal.parent.relative_to(folder)}").trials) == 2
        )
    assert seeds(folder / "lenet/search_2")["confirm/2006"] == 2006
    written = OmegaConf.load(folder / "optimization_results.yaml")
    assert set(written.lenet) == {"search_0", "search_1", "search_2"}


def test_searches_killed_often_end_with_the_tables_of_unbroken_ones(tmp_path: Path) -> None:
    training = (*TOY_SPACE, "epochs=4", "epoch_seconds=0.05", "hydra.sweeper.n_trials=3")
    twice = ("hydra.sweeper.searches=2", "hydra.sweeper.confirm=1", "hydra.sweeper.n_jobs=1")
    settings = (*training, *twice)
    whole = sweep(TOY, tmp_path / "whole", *settings)
    assert whole.code == 0, whole.text
    line, draw = command(TOY, tmp_path / "killed", *settings), random.Random(0)
    kills = [
        kill_in_training(
            line, tmp_path / f"killed/search_{k}", draw, whom="parent", most_seconds=0.3
        )
        for k in (0, 1)
    ]
    assert kills == [True, True]
    done = to_its_end(line)
    assert done.code == 0, done.text
    for place in ("search_0", "search_1"):
        assert rows(tmp_path / "killed" / place) == rows(tmp_path / "whole" / place)
        assert seeds(tmp_path / "killed" / place) == seeds(tmp_path / "whole" / place)


def rows(search: Path) -> list[dict[str, Any]]:
    return table(search, f"cnnsweep/{search.name}")


def test_a_single_search_has_todays_folders_and_does_not_become_several(tmp_path: Path) -> None:
    settings = (*TOY_SPACE, "epochs=1", "epoch_seconds=0", "hydra.sweeper.n_trials=2")
    one = sweep(TOY, tmp_path, *settings, "hydra.sweeper.searches=1", "hydra.sweeper.confirm=1")
    assert one.code == 0, one.text
    assert study(tmp_path).study_name == "cnnsweep"
    assert seeds(tmp_path) == {"0": 0, "1": 0, "confirm/1": 1}
    assert not list(tmp_path.glob("search_*"))
    several = sweep(TOY, tmp_path, *settings, "hydra.sweeper.searches=2")
    assert several.code == 1
    assert "was begun with a single search" in several.text
    assert not list(tmp_path.glob("search_*"))


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", "null"])
def test_a_number_of_searches_that_is_none_is_refused(number: str, tmp_path: Path) -> None:
    refused = sweep(TOY, tmp_path / "s", *TOY_SPACE, f"hydra.sweeper.searches={number}")
    assert refused.code == 1
    assert "hydra.sweeper.searches" in refused.text
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("compare", ["simple", "[simple,lenet]", "{model:simple}", "{model:null}"])
def test_what_is_no_group_with_options_is_not_compared(compare: str, tmp_path: Path) -> None:
    refused = sweep(TOY, tmp_path / "s", *TOY_SPACE, f"hydra.sweeper.compare={compare}")
    assert refused.code == 1
    assert "allowed is null, or a config group with its options" in refused.text
    assert not (tmp_path / "s").exists()


def test_seeds_that_do_not_fit_between_two_searches_are_refused(tmp_path: Path) -> None:
    many = ("hydra.sweeper.searches=2", "hydra.sweeper.confirm=1000")
    refused = sweep(TOY, tmp_path / "s", *TOY_SPACE, *many)
    assert refused.code == 1
    assert "confirm=1000 need 1001 seeds" in refused.text


def test_a_tuning_curve_has_no_trial_that_was_not_drawn(tmp_path: Path) -> None:
    typed = ("search=tuning_curve", "hydra.sweeper.compare={model:[simple,lenet]}", *TINY)
    done = sweep(OURS[:1], tmp_path, *typed, "hydra.sweeper.n_trials=2")
    assert done.code == 0, done.text
    sweeper = OmegaConf.load(tmp_path / "multirun.yaml").hydra.sweeper
    assert sweeper.default_first is False
    assert sweeper.sampler._target_ == "optuna.samplers.RandomSampler"
    assert sweeper.pruner._target_ == "optuna.pruners.NopPruner"
    for choice in CHOICES:
        trials = study(tmp_path / choice, f"cnnsweep/{choice}").trials
        assert [trial.state.name for trial in trials] == ["COMPLETE", "COMPLETE"]
        assert all("fixed_params" not in trial.system_attrs for trial in trials)
    changed = ("hydra.sweeper.n_trials=2", "hydra.sweeper.default_first=true")
    mixed = sweep(OURS[:1], tmp_path, *typed, *changed)
    assert mixed.code == 1
    assert "default_first (was False, is True)" in mixed.text


def test_the_line_on_searches_has_both_deviations_where_they_are_known() -> None:
    def made(tests: list[float], wanted: int) -> Any:
        confirmation = SimpleNamespace(
            wanted=wanted, test_metrics=lambda: tests, metric=lambda: "test_accuracy"
        )
        return SimpleNamespace(
            confirmation=confirmation, plan=SimpleNamespace(objectives=("val_accuracy",))
        )

    line = " ".join(lines_over_searches("lenet", [made([0.9, 0.8], 2), made([0.7, 0.8], 2)]))
    assert line == (
        "lenet over 2 searches: test_accuracy 0.8000, the mean of their means; sd of these means "
        "0.0707, of seeds within a search 0.0707 (4 confirmation runs)"
    )
    (one,) = lines_over_searches("", [made([0.9], 1), made([], 1)])
    assert one == "2 searches: test_accuracy 0.9000, the mean of their means (1 confirmation run)"


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("failed", list(itertools.product(range(4), repeat=2)))
def test_failed_confirmation_runs_are_told_or_are_an_error(
    rate: float, failed: tuple[int, int], tmp_path: Path
) -> None:
    searches = []
    for choice, number in zip("ab", failed, strict=True):
        parts = make(tmp_path / choice, n_trials=1, confirm=3)
        parts.step()
        for index in range(4):
            (job,) = parts.pool.jobs.values()
            if index < 4 - number:
                parts.write_result(job, 1.0)
                parts.send(Finished("completed", 1.0))
            else:
                parts.send(Finished("failed", error="why"))
        parts.until_done()
        assert len(parts.search.confirmation.test_metrics()) == 3 - number
        searches.append(parts.search)
    lines, error = unconfirmed(searches, rate)
    is_error = 3 in failed or sum(failed) > rate * 6
    assert (error is not None) == is_error
    assert bool(lines) == (sum(failed) > 0 and not is_error)
    if sum(failed):
        said = " ".join(lines) if error is None else str(error)
        assert f"{sum(failed)} of 6 confirmation runs failed" in said
        assert f"resume={searches[0].plan.sweep}" in said
        assert "confirm/3: why" in said


NET = """
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
from cnnsweep.models.simple import Simple

class Net(Simple):
    def __init__(self, **sizes):
        super().__init__(**sizes)
        assert Path("broken").read_text() not in HydraConfig.get().runtime.output_dir
"""


def test_a_search_stands_though_a_confirmation_run_failed(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "broken").write_text("confirm/2")
    typed = ("model._target_=net.Net", *TINY, "hydra.sweeper.n_trials=1", "hydra.sweeper.confirm=2")
    whole = ("--multirun", "search=sgd", *typed, "pictures=false", "hydra.sweep.dir=s")
    done = succeeded(cnnsweep(*whole, cwd=tmp_path, CNNSWEEP_ALLOW="net.*"))
    assert "1 of 2 confirmation runs failed (confirm/2: AssertionError" in done
    line = "  CNNSWEEP_ALLOW='net.*' python -m cnnsweep resume=s"
    assert line in done.splitlines()
    (tmp_path / "broken").write_text("nothing")
    again = succeeded(cnnsweep("resume=s", cwd=tmp_path, CNNSWEEP_ALLOW="net.*"))
    assert "failed" not in again
    assert "(n = 2)" in again
