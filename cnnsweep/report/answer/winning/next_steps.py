"""What to type next: confirm a winner, search where it sits on a bound, train the final model."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnnsweep.folders.typed_words import command, final_words, path_word
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.winning.best_settings import BestSettings
from cnnsweep.report.answer.winning.ties import Tie, searches_of
from cnnsweep.report.answer.winning.winners import Winner
from cnnsweep.report.read.run_files import Splits, not_drawn
from cnnsweep.report.read.run_record import Run, finite
from cnnsweep.report.read.spaces import Launch
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.intervals import FEWEST
from cnnsweep.report.stats.metric import Metric

_FRESH = 5  # seeds of a confirmation
_MOST = 6  # blocks


def next_steps(
    winners: Sequence[Winner],
    leading: Sequence[Winner],
    best: Winner | None,
    why: str = "",
    ties: Sequence[Tie] = (),
) -> list[Block]:
    """A block for each thing to do, with the lines to paste where the report was made.

    ``leading`` are those of the winners whose network leads, of which a wider space is worth
    trying; ``best`` is the winner that a final model is made of, ``why`` it is that one where
    another leads; ``ties`` are worth more searches, or more confirmation runs.
    """
    ours = [winner for winner in winners if winner.trial.ours and winner.launch is not None]
    first = {id(winner) for winner in leading}
    launches = {w.launch.folder: w.launch for w in ours if w.launch is not None}
    blocks: list[Block] = []
    for launch in launches.values():
        own = [w for w in ours if w.launch is not None and w.launch.folder == launch.folder]
        blocks += [*_confirm(launch, own), *_wider(launch, [w for w in own if id(w) in first])]
    blocks += [block for tie in ties for block in _tied(tie, ours)]
    if best is not None and best in ours:
        blocks.append(_final(best, why))
    return [*blocks[: _MOST - 1], *blocks[_MOST - 1 :][-1:]]  # the final model in any case


def _confirm(launch: Launch, winners: Sequence[Winner]) -> Iterator[Block]:
    fewest = min(len(winner.test) for winner in winners)
    if fewest >= FEWEST:
        return
    whose = "the winner" if len(winners) == 1 else f"each of the {len(winners)} winners"
    now = f"only {fewest} so far" if fewest else "none so far"
    yield Block(
        f"Next: confirm {'the winner' if len(winners) == 1 else 'the winners'}",
        [
            f"{_FRESH} runs of {whose} with fresh seeds ({now}) read the test split and, chosen by "
            "nothing, say what the settings reach:"
        ],
        [_resumed(launch, f"hydra.sweeper.confirm={_FRESH}")],
    )


def _tied(tie: Tie, ours: Sequence[Winner]) -> Iterator[Block]:
    """More searches where each network had several, else more confirmation runs than there are."""
    own = [winner for winner in tie.winners if winner in ours]
    launches = {w.launch.folder: w.launch for w in own if w.launch is not None}
    number = searches_of(own) if own else 1
    fewest = min((len(winner.test) for winner in own), default=0)
    if number > 1:
        title, many, word = "searches", f"{2 * number} searches", f"searches={2 * number}"
    elif fewest >= FEWEST:  # fewer are asked for as confirmation
        number, title = fewest, "seeds"
        many, word = f"{2 * fewest} confirmation runs", f"confirm={2 * fewest}"
    else:
        return
    lines = [_resumed(launch, f"hydra.sweeper.{word}") for launch in launches.values()]
    said = f"{tie.sentence()}. {many} of each instead of {number} narrow each ± by about a third "
    yield Block(f"Next: more {title}", [f"{said}or more:"], lines)


def _wider(launch: Launch, winners: Sequence[Winner]) -> Iterator[Block]:
    """More trials in a wider space, where winners sit on a bound of theirs."""
    found: dict[str, str] = {}
    told = []
    for winner in winners:
        absent = not_drawn(launch, winner.trial)
        drawn = {k: one for k, one in launch.dimensions.items() if k not in absent}
        for key, one in drawn.items():
            value = finite(winner.trial.config.get(key))
            bound = None if value is None else one.bound_near(value)
            word = None if bound is None else one.wider(bound)
            if word is None:  # no bound is near, or one where the range ends by nature
                continue
            told.append(f"{winner.sweep.name}: {key}={value:.4g} lies on the bound {bound:.4g}")
            found.setdefault(key, word)
    if not told:
        return
    trials = max([launch.n_trials or 0, *(winner.tried for winner in winners)])
    words = [*found.values(), f"hydra.sweeper.n_trials={2 * trials}"]
    yield Block(
        "Next: search a wider space",
        [
            f"{'; '.join(told[:_MOST])} of its space (within 5 % of its scale): better values may "
            f"lie beyond it. {2 * trials} trials instead of {trials}:"
        ],
        [_resumed(launch, *words)],
    )


def _final(winner: Winner, why: str) -> Block:
    who = f"{winner.sweep.name}'s winner{why}"
    return _on_all(who, winner.sweep, winner.trial, winner.objective, winner.splits)


def final_of_grid(best: BestSettings) -> Block:
    """The line that trains a grid's best settings once more, as its terminal has it."""
    who = f"{best.sweep.name}'s best settings"
    return _on_all(who, best.sweep, best.runs[0], best.metric, best.splits)


def _on_all(who: str, sweep: Sweep, run: Run, objective: Metric, splits: Splits) -> Block:
    config = run.config | {"objective": objective.name}
    words, end = final_words(config, brings_validation=splits.brings_validation)
    return Block(
        "Next: the final model",
        [f"{who}, trained once more on all training images ({end}):"],
        [command(path_word("from", shown_folder(sweep.folder)), *words)],
    )


def more_seeds(run: Run) -> Block | None:
    """The line that repeats a run with two more seeds; None where its seed is no number."""
    seed = finite(run.seed)
    if not run.ours or seed is None:
        return None
    words = path_word("from", shown_folder(run.folder)), f"seed={int(seed) + 1},{int(seed) + 2}"
    return Block(
        "Next: more seeds",
        ["Two more runs of the same settings tell how much of it is the luck of its seed:"],
        [command("--multirun", *words)],
    )


def _resumed(launch: Launch, *words: str) -> str:
    return command(path_word("resume", shown_folder(launch.folder)), *words)


def shown_folder(folder: Path) -> str:
    """A folder as it is typed where the report is made: relative where it lies below."""
    relative = os.path.relpath(folder)
    return str(folder) if relative.startswith("..") else relative
