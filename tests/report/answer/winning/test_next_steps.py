"""What to type next is proposed where it is due, and works when it is pasted."""

import math
import re
from pathlib import Path

import pytest
import yaml

from cnnsweep.dotted_keys import look_up
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.command import cnnsweep, pasted, succeeded
from tests.report.made_runs import Job, make_grid, make_run
from tests.report.made_spaces import with_space
from tests.report.made_sweeps import make_compare, make_sweep

TINY = ("model.channels=[2,4]", "model.hidden=8", "data.train_limit=100", "epochs=1", "threads=1")


def _steps(folder: Path) -> dict[str, Block]:
    return {b.title: b for b in answer(gather([folder]), Question()).first.steps}


def _trial(sweep: Path, key: str) -> float:
    results = yaml.safe_load((sweep / "optimization_results.yaml").read_text())
    value = results["best_params"][key]
    assert isinstance(value, float)
    return value


def test_without_confirmation_it_is_proposed_and_with_three_runs_not(tmp_path: Path) -> None:
    for confirm, is_due in ((0, True), (2, True), (3, False)):
        sweep = with_space(make_sweep(tmp_path / str(confirm), trials=4, confirm=confirm))
        steps = _steps(sweep)
        assert ("Next: confirm the winner" in steps) == is_due
        (final,) = steps["Next: the final model"].commands
        assert final.endswith(" data.train_limit=null data.val_fraction=0")


@pytest.mark.parametrize("end", ["low", "high", "middle"])
def test_a_wider_space_is_proposed_where_the_winner_sits_on_a_bound(
    end: str, tmp_path: Path
) -> None:
    sweep = make_sweep(tmp_path / "s", trials=4, confirm=3)
    lr, momentum = _trial(sweep, "optim.lr"), _trial(sweep, "optim.momentum")
    low, high = {"low": (lr, 100 * lr), "high": (lr / 100, lr), "middle": (lr / 10, lr * 10)}[end]
    params = {
        "optim.lr": f"tag(log, interval({low!r}, {high!r}))",
        "optim.momentum": f"interval({momentum / 2!r}, {momentum + (1 - momentum) / 2!r})",
        "data.batch_size": "choice(32, 64, 128, 256)",
    }
    with_space(sweep, params, n_trials=4)
    found = _steps(sweep).get("Next: search a wider space")
    if end == "middle":
        assert found is None
        return
    assert found is not None
    (line,) = found.commands
    words = re.search(r"'optim\.lr=tag\(log, interval\((\S+), (\S+)\)\)'", line)
    assert words is not None
    wanted = (low / 10, high) if end == "low" else (low, high * 10)
    assert all(
        math.isclose(float(is_), are, rel_tol=1e-9)
        for is_, are in zip(words.groups(), wanted, strict=True)
    )
    assert line.endswith(" hydra.sweeper.n_trials=8")
    assert "momentum" not in line
    assert "batch_size" not in " ".join(found.sentences)


def test_a_comparison_is_confirmed_as_a_whole_and_its_first_is_the_final_model(
    tmp_path: Path,
) -> None:
    top = make_compare(tmp_path / "c", ["simple", "resnet"], trials=4, confirm=0)
    tree = {"hydra": {"sweeper": {"n_trials": 4, "compare": {"model": ["simple", "resnet"]}}}}
    for sweep in top.iterdir():
        (sweep / "multirun.yaml").unlink()
    (top / "multirun.yaml").write_text(yaml.safe_dump(tree))
    steps = _steps(top)
    (confirm,) = steps["Next: confirm the winners"].commands
    assert confirm == f"python -m cnnsweep resume={top} hydra.sweeper.confirm=5"
    (final,) = steps["Next: the final model"].commands
    assert f"from={top / 'resnet'} " in final


def test_for_a_grid_the_final_model_alone_is_proposed(tmp_path: Path) -> None:
    make_grid(tmp_path / "g", ["simple", "lenet"], range(3))
    ((title, block),) = _steps(tmp_path).items()
    assert title == "Next: the final model"
    (line,) = block.commands
    assert f"from={tmp_path / 'g'} " in line


def test_the_lines_of_a_search_work_when_they_are_pasted(tmp_path: Path) -> None:
    """One tiny search, whose only trial is the default config, on a bound of its space."""
    space = ("optim.lr=tag(log, interval(1e-4, 0.01))", 'hydra.sweep.dir="a b\'s x"')
    words = ("-m", "search=sgd", *TINY, "hydra.sweeper.n_trials=1", "hydra.sweeper.n_jobs=1")
    succeeded(cnnsweep(*words, *space, cwd=tmp_path))
    sweep = tmp_path / "a b's x"
    lines = _pasted(tmp_path, sweep)
    assert [line.partition("hydra.sweeper.")[2] for line in lines] == [
        "confirm=5",
        "n_trials=2",
        "",
    ]
    confirmed = [RunFolder(run).read_result() for run in (sweep / "confirm").glob("*")]
    assert len([run for run in confirmed if run and run["test_accuracy"] is not None]) == 5
    assert (sweep / "1" / "result.json").is_file()
    final = next((tmp_path / "outputs").rglob("config.yaml"))
    config, winner = RunFolder(final.parent).read_config(), RunFolder(sweep / "0").read_config()
    assert config is not None
    assert winner is not None
    for key in ("optim.lr", "optim.momentum", "data.batch_size", "model.channels"):
        assert look_up(config, key) == look_up(winner, key)
    assert config["data"]["train_limit"] is None
    text = succeeded(cnnsweep("a b's x", "--format=none", cwd=tmp_path, module="cnnsweep.report"))
    assert "optim.lr=0.01 optim.momentum=0.9 data.batch_size=32" in text
    assert "Next: confirm" not in text


def _pasted(cwd: Path, sweep: Path) -> list[str]:
    """Paste the lines that the report shows on the terminal where it was made."""
    done = cnnsweep(sweep.name, "--format=none", cwd=cwd, module="cnnsweep.report")
    lines = [x.strip() for x in succeeded(done).splitlines() if x.startswith("  python -m")]
    for line in lines:
        pasted(line, cwd)
    return lines


def test_a_single_run_is_repeated_with_other_seeds(tmp_path: Path) -> None:
    make_run(tmp_path / "r", Job(seed=3))
    found = answer(gather([tmp_path / "r"]), Question()).first
    assert "n = 1, seed 3" in found.sentences[0]
    (line,) = found.steps[0].commands
    assert line.endswith(f"--multirun from={tmp_path / 'r'} seed=4,5")
    succeeded(cnnsweep(*TINY, "hydra.run.dir=real", "pictures=false", cwd=tmp_path))
    done = cnnsweep("real", "--format=none", cwd=tmp_path, module="cnnsweep.report")
    (line,) = [x.strip() for x in succeeded(done).splitlines() if x.startswith("  python -m")]
    assert line == "python -m cnnsweep --multirun from=real seed=1,2"
    pasted(line, tmp_path)
    seeds = [RunFolder(p.parent).read_result() for p in tmp_path.glob("multirun/*/*/[0-9]/*.json")]
    assert sorted(run["seed"] for run in seeds if run) == [1, 2]
