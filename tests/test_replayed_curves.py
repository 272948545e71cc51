"""Searches replayed on recorded curves: their figures, and what a file of curves must be."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.curves import __main__ as command
from benchmarks.curves.curves_file import Recorded
from benchmarks.curves.draw import Draw
from benchmarks.curves.replay import all_strategies, replay, terms_of

ROWS = [(t, e, 0.9 - 0.4 / e - 0.02 * (t % 7)) for t in range(12) for e in range(1, 7)]


def write(path: Path, rows: Sequence[tuple[object, object, object]], first: str = "") -> Path:
    lines = [f"{trial},{epoch},{value}\n" for trial, epoch, value in rows]
    path.write_text(f"{first}trial,epoch,value\n{''.join(lines)}")
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def call(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["curves", "replay", *map(str, words)])
        command.main()
        return capsys.readouterr().out

    return call


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_strategy_has_its_row(workers: int, run: Callable[..., str], tmp_path: Path) -> None:
    rows = [(t, e, v) for t, e, v in ROWS if t != 3 or e < 4]  # one diverged
    file = write(tmp_path / "c.csv", rows[::-1], first="# n: 12\n")
    printed = run(file, "--trials", 8, "--draws", 3, "--workers", workers, "--json")
    found = {row["strategy"]: row for row in json.loads(printed)["strategies"]}
    assert set(found) == set(all_strategies(terms_of(None)))
    for row in found.values():
        assert 0 < row["epochs"] <= row["full_epochs"] <= 8 * 6
        assert row["regret_mean"] >= 0
        assert 0 <= row["share_within_0.002"] <= 1
    assert found["full"]["regret_p95"] == found["oracle"]["regret_p95"] == 0
    assert found["full"]["epochs"] == found["full"]["full_epochs"]
    assert found["oracle"]["epochs"] == 6
    assert found["freeze_thaw"]["epochs"] < found["full"]["epochs"]
    whole = run(file, "--trials", 8, "--draws", 3, "--budget", 1, "--only", "freeze_thaw", "--json")
    (row,) = json.loads(whole)["strategies"]
    assert row["epochs"] == row["full_epochs"]


def test_curves_to_be_minimized_are_the_same_search(
    run: Callable[..., str], tmp_path: Path
) -> None:
    up = write(tmp_path / "up.csv", ROWS)
    down = write(tmp_path / "down.csv", [(t, e, -v) for t, e, v in ROWS])
    words = ("--trials", 8, "--draws", 3, "--json")
    assert run(up, *words) == run(down, *words, "--direction", "minimize")


def test_a_trial_that_diverged_costs_its_epochs_and_cannot_win() -> None:
    curves = [Recorded((0.1, 0.99), False), Recorded((0.2, 0.3, 0.4), True)]
    draw = Draw(curves, 3, 1)
    strategies = all_strategies(terms_of(None))
    strategies["full"].search(draw)
    assert (draw.spent, draw.winner(), draw.full_winner()) == (5, 0.4, 0.4)
    for row in replay(curves, strategies, trials=2, workers=1, draws=2):
        assert row["regret_mean"] in (0, 0.2)  # at worst none was trained to its end


def test_where_all_diverge_there_is_nothing_to_miss() -> None:
    curves = [Recorded((0.1,), False)] * 3
    for row in replay(curves, all_strategies(terms_of(None)), trials=3, workers=2, draws=1):
        assert row["regret_mean"] == 0


@pytest.mark.parametrize(
    ("rows", "words", "said"),
    [
        (ROWS, ("--trials", 13), "holds 12 curves, fewer than --trials 13"),
        ([*ROWS, (0, 1, 0.5)], ("--trials", 2), "line 74: trial 0 has epoch 1 twice"),
        ([*ROWS, (0, 9, 0.5)], ("--trials", 2), "trial 0 has epoch 9 but no epoch 7"),
        ([(0, 1, "x")], ("--trials", 1), "line 2: could not convert"),
        ([(0, 1, "nan")], ("--trials", 1), "holds 0 curves"),
        (ROWS, ("--trials", 2, "--only", "best"), "unknown strategy best; allowed are full"),
    ],
)
def test_what_is_no_file_of_curves_is_refused_in_one_line(
    rows: Any, words: Any, said: str, run: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(write(tmp_path / "c.csv", rows), *words)
    assert said in str(stopped.value)
    assert "\n" not in str(stopped.value)


def test_a_file_that_is_missing_or_has_no_names_is_refused(
    run: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match="cannot be read"):
        run(tmp_path / "none.csv", "--trials", 2)
    (tmp_path / "bare.csv").write_text("0,1,0.5\n")
    with pytest.raises(SystemExit, match="needs the columns trial, epoch, value"):
        run(tmp_path / "bare.csv", "--trials", 2)
