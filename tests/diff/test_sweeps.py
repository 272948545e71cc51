"""Two sweeps side by side, and a run beside a sweep."""

from pathlib import Path

import pytest
from scipy.stats import ttest_rel

from cnnsweep.folders.winner import chosen_run
from tests.command import REPOSITORY
from tests.diff.compared import compared, diff, printed
from tests.report.made_runs import Job, make_grid, make_run
from tests.report.made_sweeps import make_compare, make_sweep


def test_groups_in_common_are_compared_as_in_a_report(tmp_path: Path) -> None:
    make_grid(tmp_path / "a", ["simple", "resnet", "lenet"], range(5))
    make_grid(tmp_path / "b", ["simple", "resnet"], range(5), changes={"optim.lr": 0.05})
    found = compared(tmp_path / "a", tmp_path / "b")
    assert found["kind"] == "sweeps"
    assert found["different"]
    assert [one["key"] for one in found["settings"]["different"] if one["key"] == "optim.lr"]
    groups = found["groups"]
    assert (groups["metric"], groups["by"]) == ("test_accuracy", ["model"])
    assert (groups["only_a"], groups["only_b"]) == (["lenet"], [])
    assert {one["group"] for one in groups["common"]} == {"simple", "resnet"}
    for one in groups["common"]:
        values = [
            [Job(one["group"], seed, changes=changes).level() for seed in range(5)]
            for changes in ({}, {"optim.lr": 0.05})
        ]
        test = ttest_rel(values[1], values[0])
        interval = test.confidence_interval(0.95)
        assert one["test"] == "paired t"
        assert one["interval_95"] == pytest.approx([interval.low, interval.high])
        assert one["difference"] == pytest.approx((interval.low + interval.high) / 2)
        assert one["p_holm"] == pytest.approx(min(1, one["p_holm"]))
        assert one["p_holm"] >= test.pvalue - 1e-12
        assert (one["a"]["n"], one["b"]["n"]) == (5, 5)
    back = compared(tmp_path / "b", tmp_path / "a")["groups"]
    turned = {one["group"]: -one["difference"] for one in back["common"]}
    assert turned == pytest.approx({one["group"]: one["difference"] for one in groups["common"]})


def test_two_seeds_have_no_interval_and_no_verdict(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_grid(tmp_path / name, ["simple"], range(2), changes={"l1": 0.1 * (name == "b")})
    (one,) = compared(tmp_path / "a", tmp_path / "b")["groups"]["common"]
    assert (one["interval_95"], one["p_holm"]) == (None, None)
    assert one["a"]["interval_95"] is one["b"]["interval_95"] is None
    assert "too few seeds" in printed("a", "b", cwd=tmp_path)


def test_comparisons_are_compared_search_by_search(tmp_path: Path) -> None:
    make_compare(tmp_path / "a", ["simple", "resnet"], trials=8, confirm=3)
    make_compare(tmp_path / "b", ["resnet", "lenet"], trials=12, confirm=3)
    found = compared(tmp_path / "a", tmp_path / "b")
    (resnet,) = found["winners"]
    assert resnet["search"] == "resnet"
    for name in ("a", "b"):
        assert resnet[name]["folder"] == str(chosen_run(tmp_path / name / "resnet").run)
    assert (found["groups"]["only_a"], found["groups"]["only_b"]) == (["simple"], ["lenet"])
    counts = {one["name"]: (one["a"], one["b"]) for one in found["statuses"]}
    assert counts["failed"] == (2, 2)
    assert found["a"]["runs"] == 2 * (8 + 3)
    assert "Settings of the winners (resnet)" in printed("a", "b", cwd=tmp_path)


def test_searches_below_each_choice_are_matched_by_their_place(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for k in range(2):
            make_sweep(tmp_path / name / "resnet" / f"search_{k}", "resnet", 6, confirm=1)
    found = compared(tmp_path / "a", tmp_path / "b")
    assert [one["search"] for one in found["winners"]] == ["resnet/search_0", "resnet/search_1"]
    assert not found["different"]


def test_spaces_samplers_and_numbers_of_trials_are_settings(tmp_path: Path) -> None:
    found = compared(
        make_sweep(tmp_path / "a", "resnet", 8, confirm=0),
        make_sweep(tmp_path / "b", "resnet", 12, confirm=2),
    )
    differing = {one["key"]: (one["a"], one["b"]) for one in found["settings"]["different"]}
    assert differing["hydra.sweeper.n_trials"] == (8, 12)
    assert differing["hydra.sweeper.confirm"] == (0, 2)
    (winner,) = found["winners"]
    assert (winner["a"]["tried"], winner["b"]["tried"]) == (7, 11)  # one failed


def test_a_sweep_and_itself_differ_in_nothing(tmp_path: Path) -> None:
    sweep = make_compare(tmp_path / "a", ["simple", "resnet"], trials=6, confirm=3)
    found = compared(sweep, sweep)
    assert not found["different"]
    assert all(one["difference"] == 0 for one in found["groups"]["common"])
    assert "no difference" in printed("a", "a", "--exit-code", cwd=tmp_path)


def test_beside_a_run_a_sweeps_winner_stands_for_it(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "sweep", "resnet", 8)
    run = make_run(tmp_path / "run", Job("resnet"))
    found = compared(sweep, run)
    assert found["kind"] == "runs"
    assert found["a"]["folder"] == str(chosen_run(sweep).run)
    assert "its winner, is taken" in found["a"]["notes"][0]
    assert "optimistic" in found["a"]["notes"][1]


def test_old_sweeps_and_damaged_ones_are_compared(tmp_path: Path) -> None:
    recorded = REPOSITORY / "tests" / "recorded_6987165"
    assert compared(recorded / "search", recorded / "grid", cwd=tmp_path)["kind"] == "sweeps"
    a, b = (make_grid(tmp_path / name, ["simple"], range(3))[0].parent for name in ("a", "b"))
    for name, content in (("multirun.yaml", "{"), ("0/result.json", "["), ("1/config.yaml", "[")):
        (b / name).write_text(content)
        found = compared(a, b)
        assert any(name in problem for problem in found["problems"])


@pytest.mark.parametrize(
    "results", ["solutions: 3", "a: {best_folder: 0, best_value: x}", "best_folder: 99", "{", "[]"]
)
def test_beside_a_run_a_damaged_sweep_is_one_line(results: str, tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "sweep", "resnet", 4, confirm=0)
    make_run(tmp_path / "run", Job("resnet"))
    (sweep / "optimization_results.yaml").write_text(results)
    for pair in (("run", "sweep"), ("sweep", "run")):
        done = diff(*pair, cwd=tmp_path)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert done.stderr.startswith("error: sweep")


def test_an_unknown_metric_or_column_is_one_line(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_grid(tmp_path / name, ["simple"], range(2))
    for words in (("--metric", "val_acuracy"), ("--by", "modl")):
        done = diff("a", "b", *words, cwd=tmp_path)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert words[1] in done.stderr


def test_settings_that_both_tried_are_compared_one_by_one(tmp_path: Path) -> None:
    for name, rates in (("a", (0.01, 0.1)), ("b", (0.1, 0.5))):
        for number, rate in enumerate(rates):
            make_grid(
                tmp_path / name / str(number), ["simple"], range(3), changes={"optim.lr": rate}
            )
    groups = compared(tmp_path / "a", tmp_path / "b")["groups"]
    assert groups["by"] == ["model", "optim.lr"]
    assert [one["group"] for one in groups["common"]] == ["model=simple, optim.lr=0.1"]
    assert groups["only_a"] == ["model=simple, optim.lr=0.01"]
    assert groups["only_b"] == ["model=simple, optim.lr=0.5"]


def test_sweeps_of_other_epochs_are_compared_and_those_of_other_data_are_not(
    tmp_path: Path,
) -> None:
    """What a report would keep apart within one sweep is what two sweeps differ in on purpose."""
    for name, epochs, data in (("a", 5, "x"), ("b", 8, "x"), ("c", 5, "y")):
        make_grid(tmp_path / name, ["simple"], range(3), epochs=epochs, fingerprint=data)
    (one,) = compared(tmp_path / "a", tmp_path / "b")["groups"]["common"]
    assert one["group"] == "simple"
    found = compared(tmp_path / "a", tmp_path / "c")
    assert found["groups"]["common"] == []
    assert (found["data"]["a"], found["data"]["b"]) == ("x", "y")
