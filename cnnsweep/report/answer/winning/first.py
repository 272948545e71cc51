"""What a hurried reader should see: some sentences, what limits them, and what to type next."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnsweep.metric_names import duration
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.winning.best_settings import BestSettings
from cnnsweep.report.answer.winning.next_steps import final_of_grid, more_seeds, next_steps
from cnnsweep.report.answer.winning.ranking import Ranking
from cnnsweep.report.answer.winning.ties import ties
from cnnsweep.report.answer.winning.winners import Winner, without_copies
from cnnsweep.report.read.run_files import split_sizes
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.comparison import Comparison
from cnnsweep.report.stats.grouping import Grouping
from cnnsweep.report.stats.metric import Metric

_MOST = 4


@dataclass(frozen=True, slots=True)
class First:
    """The sentences, and a block for each thing that one could do now."""

    sentences: list[str]
    steps: list[Block]


def first(
    runs: Sequence[Run],
    metric: Metric,
    winners: Sequence[Winner],
    rankings: Sequence[Ranking],
    grids: Sequence[BestSettings],
    verdicts: list[str],
    comparison: Comparison,
    grouping: Grouping,
    limits: Sequence[str],
) -> First:
    """The answer of searches and grids first, then what is said of groups of runs.

    ``verdicts`` are the sentences on the groups; those that only repeat what a winner's say, or
    that settings of one search can't be compared, are left out. ``limits`` are sentences without
    which the others would mislead.
    """
    groups = grouping.groups
    is_tested = any(run.role != "search" for group in groups for run in group.runs)
    is_new = len(groups) > 1 and (is_tested or bool(comparison.pairs))
    told = verdicts if is_new or not (winners or grids) else []
    if not (winners or grids) and len(runs) == 1 and runs[0].status == "completed":
        step = more_seeds(runs[0])
        return First([_single(runs[0], metric)], [] if step is None else [step])
    lone = winners[0] if len(winners) == 1 else None
    best, chosen, instead = _of_ranking(rankings[0]) if rankings else (lone, lone, "")
    own = [ranking.sentence() for ranking in rankings]
    own += [winner.sentence() for winner in _lone(winners, rankings)]
    own += [grid.sentence() for grid in grids]
    room = _MOST - min(len(told), 1) - (best is not None)
    sentences = own[:room]
    if best is not None:
        sentences.append(_against(best, named=bool(rankings)))
    sentences += told[: max(_MOST - len(sentences), 1)]
    if rankings and not comparison.pairs and not is_tested:
        sentences.append(
            "Which network is better can't be said before its winner is confirmed "
            "(hydra.sweeper.confirm=5)."
        )
    ahead = [winner for ranking in rankings for winner in ranking.networks[0].winners]
    leading = [*ahead, *_lone(winners, rankings)]
    steps = next_steps(winners, leading, chosen, instead, ties(rankings, comparison))
    if not steps and not winners and len(grids) == 1:
        steps = [final_of_grid(grids[0])]
    return First([*sentences, *limits], steps)


def _of_ranking(ranking: Ranking) -> tuple[Winner, Winner, str]:
    """The leader's winner, the one that validation chooses, and why where that is of another."""
    leader, chosen = ranking.networks[0], ranking.chosen
    final = chosen.winners[0]
    why = "" if chosen is leader else f", chosen by {final.objective.name} before {leader.name}"
    return leader.winners[0], final, why


def _lone(winners: Sequence[Winner], rankings: Sequence[Ranking]) -> list[Winner]:
    """The winners that no ranking has."""
    ranked = {id(w) for ranking in rankings for one in ranking.networks for w in one.winners}
    return [winner for winner in without_copies(winners) if id(winner) not in ranked]


def _against(best: Winner, *, named: bool) -> str:
    if best.against is None:
        return (
            "What was gained over the default config is unknown: no trial of the search is known "
            "to be that."
        )
    sentence = best.against.sentence()
    return (
        f"Of {best.sweep.name}'s winner: {sentence[0].lower()}{sentence[1:]}" if named else sentence
    )


def _single(run: Run, metric: Metric) -> str:
    """What a run alone reached."""
    splits = split_sizes(run)
    read = {"test": splits.test, "val": splits.validation}
    parts = []
    for name in dict.fromkeys([metric.name, "test_accuracy", "val_accuracy"]):
        value = run.metric(name)
        if value is not None:
            images = read.get(name.partition("_")[0])
            basis = f" on {images:,} images" if images else ""
            shown = Metric(name, metric.maximize, metric.percent or name.endswith("accuracy"))
            parts.append(f"{name} {shown.show(value)}{basis}")
    seconds = run.metric("train_seconds")
    cost = "" if seconds is None else f" in {duration(seconds)}"
    learned = ". It never learned" if run.learned is False else ""
    which, epochs = run.value("model") or run.folder, run.epochs_done
    return (
        f"{which} reached {', '.join(parts)} after {epochs} {'epoch' if epochs == 1 else 'epochs'}"
        f"{cost} (n = 1, seed {run.seed}){learned}. One run has no interval, and there is "
        "nothing to compare it with: other seeds, or another config on the same data."
    )
