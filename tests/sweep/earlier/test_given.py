"""`hydra.sweeper.points` on the command line: files, folders, comparisons, later launches."""

import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tests.sweep.sweep_commands import (
    OURS,
    TOY,
    TOY_SPACE,
    Done,
    begin,
    command,
    finish,
    kill_in_training,
    study,
    sweep,
    table,
    to_its_end,
)

QUICK = (*TOY_SPACE, "epochs=1", "epoch_seconds=0", "hydra.sweeper.n_jobs=1")
GRID = "hydra/sweeper/sampler=grid"
ROWS = "lr,momentum\n0.02,0.25\n0.5,1\n,0.75\n"


def given(tmp_path: Path, text: str, *overrides: str) -> Done:
    (tmp_path / "p.csv").write_text(text)
    points = f"hydra.sweeper.points={tmp_path / 'p.csv'}"
    return sweep(TOY, tmp_path / "sweep", *QUICK, points, *overrides)


def tried(folder: Path, name: str = "cnnsweep") -> list[dict[str, Any]]:
    return [trial.params for trial in study(folder, name).trials]


def test_the_default_config_then_each_row_in_its_order(tmp_path: Path) -> None:
    done = given(tmp_path, ROWS, "hydra.sweeper.n_trials=5")
    assert done.code == 0, done.text
    assert f"tried first: 3 points of {tmp_path / 'p.csv'}" in done.text
    assert "resuming" not in done.text
    default, first, second, third, drawn = tried(tmp_path / "sweep")
    assert default == {"lr": 0.1, "momentum": 0.5}
    assert (first, second) == ({"lr": 0.02, "momentum": 0.25}, {"lr": 0.5, "momentum": 1.0})
    assert third["momentum"] == 0.75  # its lr is the sampler's
    assert drawn["momentum"] not in (0.25, 0.5, 0.75, 1.0)


def test_a_default_config_among_the_rows_is_tried_where_it_stands(tmp_path: Path) -> None:
    done = given(tmp_path, "lr,momentum\n0.02,0.25\n1e-1,0.5\n", "hydra.sweeper.n_trials=2")
    assert done.code == 0, done.text
    assert [params["lr"] for params in tried(tmp_path / "sweep")] == [0.02, 0.1]
    assert "the default config (trial 1" in done.text or "trial 1 is the default" in done.text


@pytest.mark.parametrize(
    ("text", "overrides", "said"),
    [
        ("lr\n5\n", (), "row 1: lr=5 is not in the space: allowed are numbers from 0.001 to 1"),
        ("lrr\n0.5\n", (), "row 1: lrr is no parameter of the space: allowed are lr, momentum"),
        ("lr\nabc\n", (), "lr=abc is not in the space"),
        ("lr\n0.1\n1e-1\n", (), "row 2 is the point of row 1"),
        (ROWS, ("hydra.sweeper.n_trials=3",), "allowed are 4 trials or more"),
        ("lr\n0.1\n", ("lr=0.1,0.2", "momentum=0", GRID), "goes through its whole grid"),
        ("", (), "has no points"),
        (ROWS, ("hydra.sweeper.points=gone.csv",), "points=gone.csv: there is no such file"),
        (ROWS, ("hydra.sweeper.points=''",), "hydra.sweeper.points= is out of range"),
        (
            ROWS,
            ("hydra.sweeper.points=[{lr: 0.1}]",),
            "is out of range: allowed is null, or a file or a folder",
        ),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    text: str, overrides: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = given(tmp_path, text, *overrides)
    assert done.code == 1, done.text
    assert said in done.text.splitlines()[-1]
    assert not (tmp_path / "sweep").exists()


def test_each_choice_of_a_comparison_gets_its_rows_and_each_search_all(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("- {momentum: 0.25, lr: 0.02}\n- {lr: 0.04}\n")
    done = sweep(
        *(TOY, tmp_path / "sweep", "lr=tag(log, interval(0.001, 1))", "epochs=1"),
        *("epoch_seconds=0", "hydra.sweeper.n_trials=2", "hydra.sweeper.default_first=false"),
        *("hydra.sweeper.searches=2", "hydra.sweeper.compare={momentum: ['0.25', '0.75']}"),
        f"hydra.sweeper.points={tmp_path / 'p.yaml'}",
    )
    assert done.code == 0, done.text
    for name in ("search_0", "search_1"):
        own = {
            choice: [
                p["lr"]
                for p in tried(tmp_path / "sweep" / choice / name, f"cnnsweep/{choice}/{name}")
            ]
            for choice in ("0.25", "0.75")
        }
        assert own["0.25"] == [0.02, 0.04]
        assert own["0.75"][0] == 0.04
        assert own["0.75"][1] not in (0.02, 0.04)


def test_a_later_launch_needs_no_file_and_adds_what_is_new(tmp_path: Path) -> None:
    alone = ("hydra.sweeper.default_first=false",)
    first = given(tmp_path, "lr,momentum\n0.02,0.25\n", *alone, "hydra.sweeper.n_trials=1")
    assert first.code == 0, first.text
    (tmp_path / "p.csv").unlink()
    typed = f"hydra.sweeper.points={tmp_path / 'p.csv'}"
    again = sweep(TOY, tmp_path / "sweep", *QUICK, typed, *alone, "hydra.sweeper.n_trials=1")
    assert again.code == 0, again.text
    two = "lr,momentum\n0.06,0.5\n0.02,0.25\n"
    full = given(tmp_path, two, *alone, "hydra.sweeper.n_trials=1")
    assert full.code == 1
    assert "leaves room for 0: allowed are 2 trials or more" in full.text
    more = given(tmp_path, two, *alone, "hydra.sweeper.n_trials=2")
    assert more.code == 0, more.text
    assert "1 more point of" in more.text
    assert [params["lr"] for params in tried(tmp_path / "sweep")] == [0.02, 0.06]


def test_the_trials_of_an_earlier_sweep_best_first_as_many_as_fit(tmp_path: Path) -> None:
    settings = ("model=simple", "data.train_limit=200", "hydra.sweeper.default_first=false")
    old = sweep(
        *(OURS, tmp_path / "old", *settings, "epochs=1", "hydra.sweeper.n_trials=3"),
        "optim.lr=tag(log, interval(0.001, 0.1))",
    )
    assert old.code == 0, old.text
    new = sweep(
        *(OURS, tmp_path / "new", *settings, "epochs=2", "hydra.sweeper.n_trials=2"),
        *("optim.lr=interval(0.001, 0.1)", f"hydra.sweeper.points={tmp_path / 'old'}"),
    )
    assert new.code == 0, new.text
    best = sorted(study(tmp_path / "old").trials, key=lambda one: (-(one.value or 0), one.number))
    assert tried(tmp_path / "new") == [trial.params for trial in best[:2]]
    assert "tried first: 2 points of " in new.text
    assert "2 points of" in new.text
    results = yaml.safe_load((tmp_path / "new" / "optimization_results.yaml").read_text())
    assert results["points_of"] == 1  # of three, two of which are tried again
    ends = [str(trial.state.name) for trial in best]
    assert (" left out: paused, so that it has no final value" in new.text) == ("RUNNING" in ends)


def test_killed_while_points_are_added_and_later_each_is_tried_once(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(ROWS)
    settings = (
        *(*TOY_SPACE, "epochs=3", "epoch_seconds=0.05", "hydra.sweeper.n_jobs=1"),
        *("hydra.sweeper.n_trials=5", f"hydra.sweeper.points={tmp_path / 'p.csv'}"),
    )
    whole = sweep(TOY, tmp_path / "whole", *settings)
    assert whole.code == 0, whole.text
    line, draw = command(TOY, tmp_path / "killed", *settings), Random(0)
    opening, journal = begin(line), tmp_path / "killed/study.journal"
    while opening.poll() is None and not (journal.exists() and b'"points"' in journal.read_bytes()):
        time.sleep(0.002)
    opening.kill()
    finish(opening)
    assert kill_in_training(line, tmp_path / "killed", draw, whom="parent", most_seconds=0.5)
    done = to_its_end(line)
    assert done.code == 0, done.text
    assert table(tmp_path / "killed") == table(tmp_path / "whole")
