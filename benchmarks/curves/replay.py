"""Searches replayed on recorded curves: the epochs that strategies spend, and what they miss."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from omegaconf import OmegaConf

from benchmarks.curves import strategies
from benchmarks.curves.by_optuna import PRUNERS, pruned
from benchmarks.curves.curves_file import Recorded
from benchmarks.curves.draw import Draw
from cnnsweep.sweep.freeze_thaw.rule import Terms

CLOSE = 0.002
FEW_DRAWS = 50  # for pruners that take seconds
ROUNDING = 1e-9


class Strategy(NamedTuple):
    search: Callable[[Draw], None]
    most_draws: int | None = None


def terms_of(budget: float | None) -> Terms:
    """The search's defaults, with another budget if one is given."""
    keys = OmegaConf.load(PRUNERS / "freeze_thaw.yaml")
    return Terms(keys.budget if budget is None else budget, keys.min_epochs)


def all_strategies(terms: Terms) -> dict[str, Strategy]:
    return {
        "full": Strategy(strategies.full),
        "median": Strategy(partial(pruned, name="median")),
        "halving": Strategy(partial(pruned, name="halving"), FEW_DRAWS),
        "hyperband": Strategy(partial(pruned, name="hyperband"), FEW_DRAWS),
        "asha_stopping": Strategy(strategies.asha_stopping),
        "asha_promotion": Strategy(strategies.asha_promotion),
        "first_epoch_then_best": Strategy(strategies.first_epoch_then_best),
        "freeze_thaw": Strategy(partial(strategies.freeze_thaw, terms=terms)),
        "oracle": Strategy(strategies.oracle),
    }


def replay(
    curves: Sequence[Recorded],
    strategies_: dict[str, Strategy],
    *,
    trials: int,
    workers: int,
    draws: int,
) -> list[dict[str, Any]]:
    """For each strategy the means over the same draws of ``trials`` curves.

    ``regret`` is the full search's best value less that of the strategy's winner, in the unit of
    the curves. ``pauses`` counts how often a worker left a trial before its end.
    """
    epochs = max(len(curve.values) for curve in curves)
    rows = []
    for name, (search, most) in strategies_.items():
        done = [
            _search(search, Draw(drawn, epochs, workers))
            for drawn in _draws(curves, trials, min(draws, most or draws))
        ]
        regrets = [_regret(draw) for draw in done]
        rows.append(
            {
                "strategy": name,
                "epochs": round(fmean(draw.spent for draw in done), 2),
                "full_epochs": round(fmean(draw.full_epochs for draw in done), 2),
                "regret_mean": round(fmean(regrets), 6),
                "regret_p95": round(float(np.quantile(regrets, 0.95)), 6),
                "share_within_0.002": round(
                    fmean(regret <= CLOSE + ROUNDING for regret in regrets), 4
                ),
                "pauses": round(fmean(draw.pauses for draw in done), 1),
                "draws": len(done),
            }
        )
    return rows


def _search(search: Callable[[Draw], None], draw: Draw) -> Draw:
    search(draw)
    return draw


def _draws(curves: Sequence[Recorded], trials: int, draws: int) -> Iterator[list[Recorded]]:
    numbers = Random(0)
    for _ in range(draws):
        yield numbers.sample(list(curves), trials)


def _regret(draw: Draw) -> float:
    """0 where all trials diverge: then there is nothing to miss."""
    best = draw.full_winner()
    return 0.0 if best is None else best - draw.winner()
