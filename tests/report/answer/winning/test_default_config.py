"""The winner against the config without the search: on which split, how sure, in which words."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import stats

from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.answer.winning.default_config import (
    AgainstDefault,
    OnTest,
    on_test,
    on_validation,
)
from cnnsweep.report.answer.winning.gain import Gain, gain_of_images, gain_of_seeds
from cnnsweep.report.answer.winning.winners import Winner
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.read.run_files import Splits
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.metric import Metric
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run
from tests.report.made_spaces import set_objective, with_images, with_space
from tests.report.made_sweeps import make_compare, make_sweep


def _winner(folder: Path) -> Winner:
    (winner,) = answer(gather([folder]), Question()).winners
    return winner


def _against(folder: Path) -> AgainstDefault:
    against = _winner(folder).against
    assert against is not None
    return against


def _search(folder: Path, best: float, default: float, images: int, confirm: int = 0) -> Path:
    sweep = with_space(make_sweep(folder, trials=4, confirm=confirm), default=0)
    for number, value in enumerate([default, best, 0.5, 0.4]):
        set_objective(sweep / str(number), value)
    with_images(folder, train=10 * images, test=2 * images)
    return sweep


def test_three_validation_images_of_500_are_no_finding(tmp_path: Path) -> None:
    _search(tmp_path / "s", 0.984, 0.978, 500)
    said = _against(tmp_path).sentence()
    assert said.startswith("It is 0.60 points above the default config (optim.lr=")
    assert "val_accuracy 97.80 %) on validation, 95 % interval " in said
    assert said.endswith("(500 validation images, one seed): no finding, chance alone may do that.")
    assert "no finding" in _against(tmp_path).cell()


def test_a_paused_default_config_is_told_as_compared_at_its_pause() -> None:
    gain = gain_of_images((0.95, 500), (0.94, 500), "validation", 4, "one seed")
    when = " after 1 of 5 epochs, where that is paused"
    accuracy = Metric("val_accuracy", maximize=True, percent=True)
    said = AgainstDefault(accuracy, ["optim.lr=0.1"], 0.94, gain, when=when).sentence()
    assert f"on validation{when}, 95 % interval" in said


def test_the_winners_value_at_that_pause_stands_beside_the_difference() -> None:
    accuracy = Metric("val_accuracy", maximize=True, percent=True)
    best = Run(Path("s/1"), status="completed", metrics={"val_accuracy": [0.95, 0.99]})
    default = Run(Path("s/0"), status="paused", metrics={"epoch": [1], "val_accuracy": [0.94]})
    splits = Splits(500, None, brings_validation=False)
    against = on_validation(accuracy, [best], [default], splits, 2, ["optim.lr=0.1"])
    said = against.sentence()
    assert said.startswith("It is 1.00 points above the default config (")
    assert " after 1 epochs, where that is paused and the winner had 95.00 %, 95 % interval" in said


def test_many_images_make_the_same_difference_a_finding(tmp_path: Path) -> None:
    _search(tmp_path / "s", 0.984, 0.978, 50_000)
    assert "more than chance, also for the best of 4" in _against(tmp_path).sentence()


def test_runs_of_the_default_config_are_compared_on_the_test_split(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "s", trials=4, confirm=4)
    best = yaml.safe_load((sweep / "optimization_results.yaml").read_text())["best_trial"]
    default = (best + 1) % 4
    with_space(sweep, default=default)
    (run,) = gather([sweep / str(default)]).runs
    changes = {k: run.config[k] for k in ("optim.lr", "optim.momentum", "data.batch_size")}
    for seed in range(1000, 1004):  # the seeds of the confirmation runs
        job = Job("resnet", seed, changes=changes, accuracy=0.9 + 0.001 * (seed % 3))
        make_run(tmp_path / "outputs" / str(seed), job)
    make_run(tmp_path / "outputs" / "other", Job("resnet", 1001, epochs=9, accuracy=0.2))
    make_run(tmp_path / "outputs" / "another", Job("simple", 1002, changes=changes, accuracy=0.2))
    with_images(tmp_path, train=5000, test=1000)
    against, test = _against(tmp_path), np.array(_winner(tmp_path).test)
    others = 0.9 + 0.001 * (np.arange(1000, 1004) % 3) - 0.002
    expected = stats.ttest_rel(test, others).confidence_interval(0.95)
    assert against.gain is not None
    assert against.gain.interval == pytest.approx((expected.low, expected.high))
    assert (
        "(the default config's values: 4 runs outside searches), 95 % interval"
        in against.sentence()
    )
    assert "(4 seeds each, in pairs): more than chance." in against.sentence()


def test_one_run_of_each_is_no_finding_however_large_the_difference() -> None:
    winner, default = OnTest({1: 0.9}, 10_000), OnTest({2: 0.5}, 10_000)
    against = on_test(winner, default, ["optim.lr=0.1"])
    assert against is not None
    assert against.gain is not None
    assert not against.gain.is_finding
    assert "what seeds do is unknown before three runs" in against.sentence()


def test_the_winner_may_be_the_default_config(tmp_path: Path) -> None:
    _search(tmp_path / "s", 0.90, 0.95, 500)
    assert _against(tmp_path).sentence().startswith("It is the default config (optim.lr=")
    assert _against(tmp_path).sentence().endswith("none of the other 3 trials was better.")
    assert _against(tmp_path).cell() == "is the default config"


@pytest.mark.parametrize(("default", "why"), [(4, "pruned"), (7, "failed")])
def test_a_default_config_without_a_value_says_nothing(
    default: int, why: str, tmp_path: Path
) -> None:
    with_space(make_sweep(tmp_path / "s", trials=8, confirm=0), default=default)
    assert f"is {why}: what the winner gained over it is unknown" in _against(tmp_path).sentence()


def test_without_a_record_nothing_is_claimed(tmp_path: Path) -> None:
    with_space(make_sweep(tmp_path / "s", trials=4, confirm=0), default=None)
    assert _winner(tmp_path).against is None


def test_the_journal_tells_the_default_config_where_the_results_do_not(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "s", trials=4, confirm=0)
    journal = sweep / "study.journal"
    lines = journal.read_text().splitlines(keepends=True)
    first = next(n for n, line in enumerate(lines) if '"op_code":4,' in line)
    for attributes, own in (("user", '"default config":true'), ("system", '"fixed_params":{}')):
        lines[first] = lines[first].replace(
            f'"{attributes}_attrs":{{', f'"{attributes}_attrs":{{{own},'
        )
    lines[first] = lines[first].replace(",}", "}")
    journal.write_text("".join(lines))
    assert _winner(tmp_path).against is not None


@pytest.mark.parametrize("n", [3, 5, 12])
def test_intervals_of_pairs_are_scipys_at_either_level(n: int) -> None:
    rng = np.random.default_rng(n)
    first, second = rng.normal(0.98, 0.01, n), rng.normal(0.97, 0.01, n)
    test = stats.ttest_rel(first, second)
    gain = gain_of_seeds(first.tolist(), second.tolist(), 11)
    assert gain is not None
    for interval, level in ((gain.interval, 0.95), (gain.chosen, 0.995)):
        expected = test.confidence_interval(level)
        assert interval == pytest.approx((expected.low, expected.high))


def test_two_pairs_have_no_interval() -> None:
    assert gain_of_seeds([0.9, 0.91], [0.8, 0.8], 5) is None


def test_chance_is_called_a_finding_in_at_most_one_of_twenty_searches() -> None:
    """All trials are equally good: the best of 10 of 500 images is above the default by luck."""
    rng, rounds = np.random.default_rng(0), 2000
    shares = rng.binomial(500, 0.97, (rounds, 10)) / 500
    best = shares.max(axis=1)
    found = [
        gain_of_images((b, 500), (d, 500), "validation", 10, "one seed").is_finding
        for b, d in zip(best.tolist(), shares[:, 0].tolist(), strict=True)
    ]
    assert sum(found) / rounds <= 0.05


def test_the_best_of_equal_searches_is_a_finding_in_at_most_one_of_twenty_reports() -> None:
    """Every search's winner is as good as the default config: the best of six is so by luck."""
    rng, rounds, searches = np.random.default_rng(1), 300, 6
    found = 0
    for _ in range(rounds):
        values = rng.normal(0.97, 0.003, (searches, 4))
        best, default = values[values.mean(axis=1).argmax()], rng.normal(0.97, 0.003, 4)
        for seeds in (range(4), range(10, 14)):  # in pairs, and without common seeds
            winner = OnTest(dict(enumerate(best.tolist())), None)
            other = OnTest(dict(zip(seeds, default.tolist(), strict=True)), None)
            against = on_test(winner, other, ["optim.lr=0.1"], searches)
            assert against is not None
            assert against.gain is not None
            found += against.gain.is_finding
    assert found / (2 * rounds) <= 0.05


def test_the_best_of_two_searches_says_so_and_whose_the_default_configs_values_are(
    tmp_path: Path,
) -> None:
    sweep = _searched_twice(tmp_path)
    default = gather([sweep / "0"]).runs[0].config
    changes = {k: default[k] for k in ("optim.lr", "optim.momentum", "data.batch_size")}
    for seed in range(1000, 1004):
        job = Job("resnet", seed, changes=changes, accuracy=0.9 + 0.001 * (seed % 3))
        make_run(tmp_path / "outputs" / str(seed), job)
    own = {w.sweep.folder: w for w in answer(gather([tmp_path]), Question()).winners}[sweep]
    assert own.against is not None
    assert own.against.gain is not None
    assert own.against.gain.searches == 2
    said = own.against.sentence()
    assert "on the test split (the default config's values: 4 runs outside searches), 95 %" in said
    assert said.endswith("more than chance, also for the best of 2 searches.")


def test_a_default_config_that_another_search_confirmed_is_said_to_be_that(tmp_path: Path) -> None:
    sweep = _searched_twice(tmp_path)
    default = gather([sweep / "0"]).runs[0].config
    changes = {k: default[k] for k in ("optim.lr", "optim.momentum", "data.batch_size")}
    other = tmp_path / "c" / "simple"
    for seed in range(1000, 1004):
        shutil.rmtree(other / "confirm" / str(seed))
        job = Job("resnet", seed, mode="MULTIRUN", changes=changes, accuracy=0.9)
        make_run(other / "confirm" / str(seed), job)
    own = {w.sweep.folder: w for w in answer(gather([tmp_path]), Question()).winners}[sweep]
    assert own.against is not None
    assert "values: confirmation runs of c/simple), 95 %" in own.against.sentence()


def _searched_twice(folder: Path) -> Path:
    """A comparison of two networks; the search of the first, which trial 1 won."""
    top = make_compare(folder / "c", ["resnet", "simple"], trials=4, confirm=4)
    for model in ("resnet", "simple"):
        with_space(top / model, default=0)
        for number, value in enumerate([0.8, 0.9, 0.5, 0.4]):
            set_objective(top / model / str(number), value)
    return top / "resnet"


@pytest.mark.parametrize(
    ("common", "said"),
    [(0, "no common seeds"), (1, "only one seed in common"), (2, "only 2 seeds in common")],
)
def test_too_few_common_seeds_are_counted(common: int, said: str) -> None:
    winner: dict[object, float] = {seed: 0.9 + 0.001 * seed for seed in range(5)}
    default: dict[object, float] = {
        seed: 0.8 + 0.002 * seed for seed in range(5 - common, 10 - common)
    }
    against = on_test(OnTest(winner, 10_000), OnTest(default, 10_000), ["optim.lr=0.1"])
    assert against is not None
    assert f"(5 and 5 runs, {said}): more than chance" in against.sentence()
    expected = stats.ttest_ind([*winner.values()], [*default.values()], equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert against.gain is not None
    assert against.gain.interval == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("has_seeds", [True, False])
def test_seeds_are_advised_where_runs_have_one(has_seeds: bool) -> None:
    loss = Metric("val_loss", maximize=False, percent=False)
    said = AgainstDefault(loss, ["lr=0.1"], 0.5, Gain(-0.25, None), has_seeds=has_seeds).sentence()
    assert "how far chance alone goes is unknown" in said
    assert ("hydra.sweeper.seeds=3 measures that" in said) == has_seeds
