"""The line that a sweep prints in the end trains its winner on all data, pasted into a shell."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cnnsweep.dotted_keys import look_up
from cnnsweep.folders.run_folder import RunFolder
from tests.command import pasted
from tests.forked_commands import Commands, forked_commands

TINY = ("-m", "model.channels=[2,4]", "model.hidden=8", "data.train_limit=100", "epochs=1")
ONE = ("hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1")
ALL = "data.train_limit=null data.val_fraction=0"
LIMIT = "data.train_limit=null"
EVERY_DAY = "adam, a name with spaces"
# What is typed, the folder, what the line types, why a validation split stays.
SEARCHES: dict[str, tuple[tuple[str, ...], str, str, str | None]] = {
    EVERY_DAY: (("search=adam",), "a b's x", ALL, None),
    "early stopping": (
        ("search=sgd", "early_stopping.patience=1"), "s", LIMIT, "early_stopping judges by it",
    ),
    "plateau": (
        ("search=sgd", "scheduler=reduce_on_plateau"), "s", LIMIT,
        "scheduler=reduce_on_plateau judges by it",
    ),
    "a loss": (("search=sgd", "objective=val_loss"), "s", f"{ALL} objective=train_loss", None),
    "seeds": (("search=sgd", "hydra.sweeper.seeds=2"), "s", ALL, None),
    "a comparison": (
        ("search=compare", "hydra.sweeper.confirm=1", "hydra.sweeper.compare.model=[simple]"),
        "s", ALL, None,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with forked_commands() as running:
        yield running


def line_of(out: str) -> tuple[str, str]:
    """What is said before the line, and the line itself."""
    lines = out.splitlines()
    (at,) = [n for n, line in enumerate(lines) if line.startswith("to train the final model")]
    return lines[at], lines[at + 1].strip()


@pytest.mark.parametrize(
    "kind", [k if k == EVERY_DAY else pytest.param(k, marks=pytest.mark.slow) for k in SEARCHES]
)
def test_the_line_trains_the_winner_on_all_data(
    kind: str, commands: Commands, tmp_path: Path
) -> None:
    typed, folder, wanted, why = SEARCHES[kind]
    words = [*TINY, *typed, *ONE, f'hydra.sweep.dir="{folder}"']
    ended = commands.run(words, tmp_path)
    assert ended.code == 0, ended.out + ended.err
    before, line = line_of(ended.out)
    assert line.endswith(wanted), line
    assert (why or "its last epoch counts") in before
    pasted(f"{line} hydra.run.dir=final", tmp_path)
    config = RunFolder(tmp_path / "final").read_config() or {}
    result = RunFolder(tmp_path / "final").read_result() or {}
    assert result["test_accuracy"] is not None
    assert (tmp_path / "final" / "predictions.png").exists()
    assert config["data"]["train_limit"] is None
    assert (result["val_accuracy"] is None) == (why is None)
    sweep = tmp_path / folder / ("simple" if kind == "a comparison" else "")
    trials = [
        RunFolder(path.parent).read_result() or {} for path in sweep.glob("[0-9]*/result.json")
    ]
    assert {trial["test_accuracy"] for trial in trials} == {None}  # they leave the test split alone
    results = yaml.safe_load((sweep / "optimization_results.yaml").read_text())
    for key, value in results["best_params"].items():
        assert look_up(config, key) == value
    full = re.search(r"its settings in full: (.*)", ended.out)
    assert full is not None
    assert dict(word.split("=") for word in full[1].split()) == {
        key: str(value) for key, value in results["best_params"].items()
    }


@pytest.mark.slow
def test_a_front_has_no_such_line_but_names_its_trials(commands: Commands, tmp_path: Path) -> None:
    typed = ("search=sgd", *ONE, "objective=[val_accuracy,parameters]", "hydra.sweep.dir=s")
    ended = commands.run([*TINY, *typed], tmp_path)
    assert ended.code == 0, ended.out + ended.err
    assert "a final model needs one run: " in ended.out
    assert "name one of" in ended.out
    assert "from=" not in ended.out
