"""The sums: kinds of runs, workers side by side, searches that pause, time and bytes in words."""

from dataclasses import replace
from random import Random

import pytest

from cnnsweep.sweep.estimate.costs import Cost, Kind, filled, mean, to_measure
from cnnsweep.sweep.estimate.estimated import Around, Priced, estimate
from cnnsweep.sweep.estimate.in_words import about, size
from cnnsweep.sweep.estimate.outlook import Outlook, Pausing, Trial
from cnnsweep.sweep.estimate.simulate import Queue, makespan
from cnnsweep.sweep.estimate.thawing import Thawing
from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.rule import Terms

NOTHING = Around(before=0, start=0, job=0, after=0, finish=0)
COST = Cost(begin=1, epoch=2, end=3, best=100, last=200, other=10)


@pytest.mark.parametrize("seed", range(40))
def test_a_makespan_lies_between_its_bounds(seed: int) -> None:
    draw = Random(seed)
    jobs = [draw.uniform(0, 10) for _ in range(draw.randint(1, 50))]
    workers, start = draw.randint(1, 9), draw.uniform(0, 3)
    whole = makespan([Queue(jobs[:20]), Queue(jobs[20:])], workers, start)
    assert whole >= max(jobs)
    assert whole >= sum(jobs) / workers
    assert whole <= start + sum(jobs) / workers + max(jobs) + 1e-9
    assert makespan([Queue(jobs)], 1, start) == pytest.approx(start + sum(jobs))


def test_of_equal_jobs_the_makespan_is_known() -> None:
    assert makespan([Queue([2.0] * 7)], 3, 1.0) == 1 + 3 * 2
    assert makespan([Queue([])], 3, 1.0) == 0


def test_two_batch_sizes_tell_all_others_of_a_family() -> None:
    def cost(batch: int) -> Cost:
        return replace(COST, epoch=3 + 64 / batch)

    known = {Kind("a", batch): cost(batch) for batch in (16, 256)}
    wanted = [Kind("a", batch) for batch in (16, 32, 64, 256)]
    found = filled(known, wanted)
    for kind in wanted:
        assert kind.batch is not None
        assert found[kind].epoch == pytest.approx(cost(kind.batch).epoch)
    assert filled(known, [Kind("b", 8)])[Kind("b", 8)] == mean(list(known.values()))
    assert filled({Kind("a", 16): COST}, [Kind("a", 64)])[Kind("a", 64)] == COST


def test_the_kinds_that_tell_most_are_measured() -> None:
    wanted = {Kind("few", 32): 1, **{Kind("many", b): 5 for b in (16, 32, 64)}}
    assert to_measure(wanted, 9) == [Kind("many", 16), Kind("few", 32), Kind("many", 64)]
    assert to_measure(wanted, 1) == [Kind("many", 16)]


def test_a_grid_takes_its_jobs_on_its_workers_and_what_is_around() -> None:
    study = Priced(Outlook((), ({},), [Trial(0, 10)] * 5, kept=1), [COST])
    around = Around(before=2, start=4, job=0.5, after=3, finish=0)
    found = estimate([study], 2, around, None)
    assert found.seconds == 2 + 4 + 3 * (0.5 + 1 + 20 + 3) + 3
    assert not found.at_most
    assert found.bytes >= 5 * 10 + 300
    assert estimate([study], 2, around, 10.0).seconds == 2 + 10 + 3


def test_confirmation_runs_follow_all_trials() -> None:
    outlook = Outlook((), ({},), [Trial(0, 1)] * 2, seeds=3, confirm=2, epochs=1)
    found = estimate([Priced(outlook, [COST])] * 2, 2, NOTHING, None)
    assert found.seconds == (2 * 2 * 3 * 6) / 2 + (2 * 2 * 6) / 2
    pruned = replace(outlook, pruner="MedianPruner")
    assert estimate([Priced(pruned, [COST])], 2, NOTHING, None).at_most


@pytest.mark.parametrize(("trials", "epochs", "workers"), [(8, 10, 1), (20, 10, 2), (12, 5, 4)])
@pytest.mark.parametrize("budget", [0.3, 0.6, 1.0])
def test_a_search_that_pauses_is_played_through_by_its_own_rule(
    trials: int, epochs: int, workers: int, budget: float
) -> None:
    played = Thawing(Terms(budget, 1), epochs, trials, lambda _: 0.0, lambda _: 1.0, lambda _: 0.0)
    whole = makespan([played], workers)
    assert trials + epochs - 1 <= played.trained <= budget * trials * epochs + 1e-6
    assert whole >= played.trained / workers
    assert whole >= epochs
    assert played.unbegun == 0
    assert (played.paused == 0) == (budget == 1.0)


def test_what_a_search_has_behind_it_is_not_trained_again() -> None:
    curves = [Curve(n, (0.5, 0.6), 4, "paused") for n in range(4)]
    pausing = Pausing(Terms(1.0, 1), 4, 0, curves)
    outlook = Outlook((), ({},), [Trial(0, 2)] * 4, pausing=pausing)
    found = estimate([Priced(outlook, [replace(COST, begin=0, end=0)])], 1, NOTHING, None)
    assert found.trained == 8
    assert found.seconds == 16


def test_a_search_too_large_to_be_played_is_taken_by_its_share() -> None:
    pausing = Pausing(Terms(0.5, 1), 100, 1000, ())
    outlook = Outlook((), ({},), [Trial(0, 100)] * 1000, pausing=pausing)
    found = estimate([Priced(outlook, [COST])], 10, NOTHING, None)
    assert found.seconds == pytest.approx(1000 * (4 + 50 * 2) / 10)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "about 5 s"), (42, "about 40 s"), (59, "about 1 min"), (95, "about 1 min 30 s"),
        (290, "about 5 min"), (700, "about 12 min"), (1500, "about 25 min"),
        (3600, "about 1 h"), (9000, "about 2 h 30 min"), (40_000, "about 11 h"),
    ],
)  # fmt: skip
def test_time_is_never_said_more_exactly_than_it_is_known(seconds: float, said: str) -> None:
    assert about(seconds) == said


def test_what_is_said_of_a_time_is_within_a_fifth_of_it() -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    for seconds in (10 * 1.01**k for k in range(900)):
        words = about(seconds).split()[1:]
        told = sum(float(n) * units[u] for n, u in zip(words[::2], words[1::2], strict=True))
        assert abs(told - seconds) <= max(2.5, 0.2 * seconds), (seconds, words)


def test_bytes_have_two_digits() -> None:
    assert [size(n) for n in (800, 1234, 5.26e6, 49.4e9)] == [
        "800 bytes", "1.2 kB", "5.3 MB", "49 GB",
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_a_search_whose_budget_is_spent_has_nothing_left_and_adds_no_run(seed: int) -> None:
    draw = Random(seed)
    curves = [
        Curve(0, (0.9, 0.95), 2, "over"),
        *(Curve(n, (draw.uniform(0, 0.5),), 2, "paused") for n in range(1, draw.randint(4, 9))),
    ]
    paused = [Trial(0, 1)] * (len(curves) - 1)
    pausing = Pausing(Terms(budget=0.5, min_epochs=1), 2, 0, curves)
    study = Outlook((), ({},), paused, pausing=pausing, kept=2)
    found = estimate([Priced(study, [COST])], 2, NOTHING, None)
    assert found.is_nothing
    fresh = replace(study, pausing=replace(pausing, unbegun=3, terms=Terms(1, 1)))
    more = estimate([Priced(fresh, [COST])], 2, NOTHING, None)
    assert not more.is_nothing
    runs = 3 * (COST.best + COST.last + COST.other)
    assert more.bytes - found.bytes >= runs
    epochs = more.trained or 0
    assert more.bytes - found.bytes <= runs + 3 * (6_000 + 5_000) + 250 * epochs
    confirmed = replace(study, confirm=1, epochs=2)
    assert not estimate([Priced(confirmed, [COST])], 2, NOTHING, None).is_nothing
