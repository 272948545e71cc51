"""The rule that gives out epochs keeps its promises on generated curves."""

import random
from collections.abc import Sequence
from typing import Any, Literal

import pytest

from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.reserve import least_epochs
from cnnsweep.sweep.freeze_thaw.rule import Begin, Step, Terms, Thaw, next_step

AUTO = Terms(budget="auto", min_epochs=1)
Full = Sequence[Sequence[float]]  # every trial's values to its end


class Search:
    """Trials whose curves are known beforehand, with workers whose epochs last random times."""

    def __init__(
        self, full: Full, epochs: int, terms: Terms, workers: int = 1, seed: int = 0
    ) -> None:
        self.full, self.epochs, self.terms = full, epochs, terms
        self.trained: list[int] = []  # the trial of every epoch, in order
        self.known: dict[int, int] = {}  # epochs that are trained and known
        self.running: dict[int, float] = {}  # trials in training, and when their epoch ends
        self._durations = random.Random(seed)
        self._run(workers)

    def step(self, current: int | None = None) -> Step:
        curves = [self.curve(number) for number in sorted(self.known)]
        unbegun = len(self.full) - len(self.known)
        step = next_step(curves, self.terms, unbegun=unbegun, epochs=self.epochs, current=current)
        assert step == next_step(  # whatever the order, whoever asks again
            curves[::-1], self.terms, unbegun=unbegun, epochs=self.epochs, current=current
        )
        return step

    def curve(self, number: int) -> Curve:
        count = self.known[number]
        over = count >= len(self.full[number]) and number not in self.running
        state: Literal["paused", "running", "over"] = "over" if over else "paused"
        if number in self.running:
            state = "running"
        return Curve(number, tuple(self.full[number][:count]), self.epochs, state)

    def _run(self, workers: int) -> None:
        free, now = workers, 0.0
        current = None
        while True:
            while free and self._give(self.step(current), now):
                free, current = free - 1, None
            current = None
            if not self.running:
                return
            number = min(self.running, key=lambda n: (self.running[n], n))
            now = self.running.pop(number)
            free += 1
            if self.known[number] < len(self.full[number]):
                self.known[number] += 1
                ended = self.known[number] == len(self.full[number])
                current = None if ended else number

    def _give(self, step: Step, now: float) -> bool:
        if step is None:
            return False
        if isinstance(step, Begin):
            number = len(self.known)
            self.known[number] = 0
        else:
            number = step.number
            assert self.curve(number).state == "paused"
        self.running[number] = now + self._durations.uniform(0.5, 1.5)
        self.trained.append(number)
        return True


def power_laws(trials: int, epochs: int, seed: int) -> list[list[float]]:
    numbers = random.Random(seed)
    laws = [(numbers.random(), numbers.random(), 2 * numbers.random()) for _ in range(trials)]
    return [
        [end - fall / epoch**speed + numbers.gauss(0, 0.01) for epoch in range(1, epochs + 1)]
        for end, fall, speed in laws
    ]


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("budget", ["auto", 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("min_epochs", [1, 3])
def test_the_winner_is_trained_to_its_end_within_the_budget(
    workers: int, budget: Any, min_epochs: int
) -> None:
    for seed in range(3):
        trials, epochs = 4 + 4 * seed, 5 + 2 * seed
        least = least_epochs(trials, epochs, min_epochs)
        share = budget if budget == "auto" else max(budget, least / (trials * epochs))
        terms = Terms(share, min_epochs)
        search = Search(power_laws(trials, epochs, seed), epochs, terms, workers, seed)
        best = {n: max(search.full[n][:count]) for n, count in search.known.items()}
        assert search.known[max(best, key=best.__getitem__)] == epochs
        assert all(search.known[number] >= min_epochs for number in range(trials))
        spent = len(search.trained)
        assert least <= spent <= (1 if share == "auto" else share) * trials * epochs + 1e-6


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_whole_budget_trains_everything(workers: int) -> None:
    search = Search(power_laws(10, 7, 0), 7, Terms(1.0, 1), workers)
    assert all(count == 7 for count in search.known.values())


@pytest.mark.parametrize("slope", [100, 1e-3, 8.0])
def test_units_change_nothing(slope: float) -> None:
    for seed in range(2):
        full = power_laws(16, 9, seed)
        moved = [[slope * value + 3 for value in values] for values in full]
        assert Search(full, 9, AUTO).trained == Search(moved, 9, AUTO).trained


def test_a_current_trial_below_the_least_goes_on() -> None:
    curves = [Curve(0, (0.1,), 9, "paused"), Curve(1, (0.9, 0.91), 9, "paused")]
    assert next_step(curves, Terms(0.9, 2), unbegun=1, epochs=9, current=0) == Thaw(0)


@pytest.mark.parametrize("workers", [1, 3])
def test_trials_that_fail_cannot_win(workers: int) -> None:
    for seed in range(3):
        full = power_laws(10, 8, seed)
        best = max(range(10), key=lambda number: max(full[number]))
        full[best] = full[best][:3]
        search = Search(full, 8, AUTO, workers, seed)
        whole = [number for number, count in search.known.items() if count == 8]
        assert whole
        able = {n: max(full[n][:count]) for n, count in search.known.items() if n != best}
        assert max(able, key=able.__getitem__) in whole


@pytest.mark.parametrize("values", [[0.5] * 6, [0.1] * 3 + [0.2] * 3, [3, 2, 1, 0, -1, -2]])
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_equal_curves_end_with_one_of_them_whole(values: list[float], workers: int) -> None:
    search = Search([values] * 7, 6, AUTO, workers)
    assert max(search.known.values()) == 6
    assert len(search.trained) <= 7 * 6


def test_nothing_is_begun_and_paused_without_an_epoch() -> None:
    """Search.curve asserts that a trial which is thawed was paused, and it always trains."""
    search = Search(power_laws(12, 9, 3), 9, Terms(0.5, 1), workers=3)
    assert sum(search.known.values()) == len(search.trained)


def test_trials_of_different_lengths() -> None:
    curves = [
        Curve(0, (0.1, 0.5), 4, "paused"),
        Curve(1, (0.2, 0.9), 2, "over"),
        Curve(2, (0.3,), 20, "paused"),
        Curve(3, (0.1, 0.2), 5, "over"),
    ]
    budgets: tuple[Any, ...] = ("auto", 0.3, 1.0)
    for budget in budgets:
        assert next_step(curves, Terms(budget, 1), unbegun=0, epochs=20) in (
            *(Thaw(0), Thaw(2)),
            None,
        )
    assert next_step(curves, Terms(1.0, 1), unbegun=0, epochs=20) is not None


def test_another_winner_is_trained_to_its_end_when_the_leader_fails() -> None:
    curves = [Curve(0, (0.9,) * 4, 9, "over"), Curve(1, (0.5,), 9, "paused")]
    assert next_step(curves, Terms(0.6, 1), unbegun=0, epochs=9, current=None) == Thaw(1)


def test_nothing_to_do_where_nothing_can_be_trained() -> None:
    assert next_step([], AUTO, unbegun=0, epochs=9) is None
    failed = [Curve(0, (), 9, "over"), Curve(1, (0.1,), 9, "over")]
    assert next_step(failed, AUTO, unbegun=0, epochs=9) is None
    assert next_step(failed, AUTO, unbegun=1, epochs=9) == Begin()
    assert next_step([Curve(0, (), 9, "running")], AUTO, unbegun=0, epochs=9) is None


def late_risers(trials: int, epochs: int, seed: int) -> list[list[float]]:
    """Nobody leaves the starting level in the first epoch; the best leaves it in the third."""
    numbers = random.Random(seed)
    onsets = [2 + number % (epochs - 4) for number in range(trials)]
    tops = [0.9 if number == 0 else numbers.uniform(0.4, 0.8) for number in range(trials)]
    return [
        [0.1 if e < at else top - (top - 0.1) / (2 + e - at) for e in range(epochs)]
        for at, top in zip(onsets, tops, strict=True)
    ]


def test_trials_that_rise_late_are_waited_for() -> None:
    for seed in range(3):
        search = Search(late_risers(16, 15, seed), 15, AUTO)
        assert search.known[0] == 15
        assert len(search.trained) < 0.7 * 16 * 15


def test_where_first_epochs_tell_a_third_is_enough() -> None:
    spent = [len(Search(power_laws(16, 9, seed), 9, AUTO).trained) for seed in range(5)]
    assert sum(spent) / 5 <= 0.36 * 16 * 9


@pytest.mark.parametrize(("images", "is_more"), [(50, True), (100, True), (1000, False)])
def test_an_accuracy_of_few_images_gets_more_epochs(images: int, is_more: bool) -> None:
    full = [[round(v * images) / images for v in row] for row in power_laws(16, 9, 0)]
    spent = len(Search(full, 9, AUTO).trained)
    assert (spent > 0.36 * 144) == is_more
    assert spent <= 0.5 * 144
