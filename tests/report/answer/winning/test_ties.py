"""Where networks can't be told apart, more searches or more seeds are proposed."""

import shutil
from pathlib import Path

import pytest
import yaml

from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run
from tests.report.made_searches import make_comparison
from tests.report.made_spaces import with_space
from tests.report.made_sweeps import make_compare

TIED = [[0.90, 0.91, 0.92], [0.93, 0.94, 0.95], [0.96, 0.97, 0.98]]
CLOSE = [[value - 0.004 for value in search] for search in TIED]
FAR = [[value - 0.5 for value in search] for search in TIED]


def _steps(top: Path) -> dict[str, Block]:
    return {b.title: b for b in answer(gather([top]), Question()).first.steps}


def _launched_together(top: Path, choices: list[str]) -> Path:
    """As ``search=compare`` records it: once, above all searches."""
    for path in top.rglob("multirun.yaml"):
        path.unlink()
        (path.parent / "optimization_results.yaml").write_text("best_trial: 1\n")
    tree = {"hydra": {"sweeper": {"n_trials": 2, "compare": {"model": choices}}}}
    (top / "multirun.yaml").write_text(yaml.safe_dump(tree))
    return top


def test_networks_of_several_searches_that_tie_are_worth_more_searches(tmp_path: Path) -> None:
    made = make_comparison(tmp_path / "c", {"simple": TIED, "lenet": CLOSE, "resnet": FAR})
    top = _launched_together(made, ["simple", "lenet", "resnet"])
    step = _steps(top)["Next: more searches"]
    assert step.commands == [f"python -m cnnsweep resume={top} hydra.sweeper.searches=6"]
    (said,) = step.sentences
    assert said.startswith("simple leads, but can't be told apart from lenet. 6 searches of each ")
    assert "resnet" not in said


def test_a_network_that_is_better_than_all_others_needs_nothing_more(tmp_path: Path) -> None:
    made = make_comparison(tmp_path / "c", {"simple": TIED, "resnet": FAR})
    assert "Next: more searches" not in _steps(_launched_together(made, ["simple", "resnet"]))


@pytest.mark.parametrize(("confirm", "is_due"), [(4, True), (2, False)])
def test_networks_of_one_search_that_tie_are_worth_more_seeds(
    confirm: int, is_due: bool, tmp_path: Path
) -> None:
    top = make_compare(tmp_path / "c", ["resnet", "simple"], trials=4, confirm=confirm)
    for model in ("resnet", "simple"):
        with_space(top / model)
        for number, seed in enumerate(range(1000, 1000 + confirm)):
            folder = top / model / "confirm" / str(seed)
            config = gather([folder]).runs[0].config
            changes = {k: config[k] for k in ("optim.lr", "optim.momentum", "data.batch_size")}
            luck = (-1) ** number * (0.01 if model == "resnet" else -0.01)
            shutil.rmtree(folder)
            job = Job(model, seed, mode="MULTIRUN", changes=changes, accuracy=0.9 + luck)
            make_run(folder, job)
    steps = _steps(_launched_together(top, ["resnet", "simple"]))
    assert ("Next: more seeds" in steps) == is_due
    assert ("Next: confirm the winners" in steps) != is_due
    if is_due:
        (line,) = steps["Next: more seeds"].commands
        assert line == f"python -m cnnsweep resume={top} hydra.sweeper.confirm=8"
