"""The parts of the answer in the order in which they are read, the same on every surface."""

from collections.abc import Iterator, Sequence

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.calibration import calibration_blocks
from cnnsweep.report.answer.curves.equal_compute import equal_compute_blocks
from cnnsweep.report.answer.curves.tuning_curves import tuning_blocks
from cnnsweep.report.answer.image_noise import image_noise_blocks
from cnnsweep.report.answer.search_luck import search_luck_blocks
from cnnsweep.report.answer.winning.winners import winners_table
from cnnsweep.report.output.tables import (
    GROUP_COLUMNS,
    METHOD,
    PAIR_COLUMNS,
    PLUS_MINUS,
    best_row,
    group_tables,
    pair_rows,
)
from cnnsweep.report.stats.drawn_keys import varied_keys

_MOST_SETTINGS = 3  # columns of them beside the best runs


def answer_blocks(answer: Answer, idle: Sequence[str] = ()) -> list[Block]:
    """Everything but notes, failures, charts and the table of runs.

    Args:
        answer: what was found.
        idle: sentences on idle workers, which only a search's study knows.
    """
    return [
        Block("Answer", answer.first.sentences, strong=True),
        *(ranking.block() for ranking in answer.rankings),
        *answer.first.steps,
        *_groups(answer),
        *search_luck_blocks(answer.luck, answer.metric),
        *winners_table(answer.winners),
        *_pairs(answer),
        *image_noise_blocks(answer.noise, answer.metric),
        *tuning_blocks(answer.tuning),
        *equal_compute_blocks(answer.equal_compute),
        *calibration_blocks(answer.calibration),
        *_best_runs(answer),
        Block("Cost", [answer.cost.sentence(), *idle]),
    ]


def _groups(answer: Answer) -> Iterator[Block]:
    """Folded where the ranking of tuned networks has shown all of them."""
    ranked = {network.name for ranking in answer.rankings for network in ranking.networks}
    known = {group.label for group in answer.grouping.groups} <= ranked
    is_ours = any(run.ours for group in answer.grouping.groups for run in group.runs)
    names = [key if is_ours or key != "model" else "app" for key in answer.question.by]
    by = ", ".join(names)
    for stratum, groups in group_tables(answer):
        title = f"{answer.metric.name} by {by}{stratum and f' ({stratum})'}"
        yield Block(title, columns=GROUP_COLUMNS, rows=groups, caption=PLUS_MINUS, is_detail=known)


def _pairs(answer: Answer) -> Iterator[Block]:
    rows = pair_rows(answer)
    if rows:
        title = f"Pairs ({len(rows)})"
        yield Block(title, columns=PAIR_COLUMNS, rows=rows, caption=METHOD, is_detail=True)


def _best_runs(answer: Answer) -> Iterator[Block]:
    by = answer.question.by
    for stratum, runs in answer.best():
        keys = varied_keys(answer.gathered.sweeps, runs, by)[:_MOST_SETTINGS]
        columns = ["#", answer.metric.name, ", ".join(by), "seed", *keys]
        yield Block(
            f"Best runs{f' ({stratum})' if stratum else ''}",
            columns=[*columns, "epochs", "time", "folder"],
            rows=[best_row(answer, number, run, keys) for number, run in enumerate(runs, 1)],
        )
