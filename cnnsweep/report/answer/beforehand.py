"""What trials of others limit: comparisons with warm-started searches, and who the best is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath

from cnnsweep.errors import and_more
from cnnsweep.report.answer.winning.winners import Winner
from cnnsweep.report.read.given_trials import Elsewhere, beforehand
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.rules import as_typed

_MOST = 4  # searches that are named


def limits(sweeps: Sequence[Sweep], winners: Sequence[Winner]) -> list[str]:
    """Sentences without which those on searches would mislead."""
    return [*_warm_starts(sweeps), *_better(sweeps, winners)]


def _better(sweeps: Sequence[Sweep], winners: Sequence[Winner]) -> Iterator[str]:
    """For each search a trial that beats its winner and is none of its own."""
    best = {winner.sweep.folder: winner for winner in winners}
    for sweep in sweeps:
        better = beforehand(sweep).better if sweep.searched else None
        if better is not None:
            reached = _reached(better, best.get(sweep.folder))
            yield f"{sweep.name}: {_who(better)} is better: {reached}."


def _who(one: Elsewhere) -> str:
    if one.trial is not None:
        return f"trial {one.trial} of its study, which cnnsweep did not run,"
    return f"a trial of another sweep that its sampler knew ({one.folder})"


def _reached(one: Elsewhere, winner: Winner | None) -> str:
    params = " ".join(f"{key}={as_typed(value)}" for key, value in one.params.items())
    if winner is None:
        return f"{one.value:.4g} with {params}; none of the search's own was completed"
    own = f"trial {winner.trial.folder.name} is the best that was trained here"
    return f"{winner.objective.name} {winner.objective.show(one.value)} with {params}; {own}"


def _warm_starts(sweeps: Iterable[Sweep]) -> list[str]:
    """What to know of warm-started searches before any of them is compared; [] without one."""
    searches = [sweep for sweep in sweeps if sweep.searched]
    known = {sweep.name: found for sweep in searches if (found := beforehand(sweep).warm_start)}
    if not known:
        return []
    told = [f"{name} knew {named_trials(found)}" for name, found in known.items()]
    said = f"Warm-started: before its first trial {and_more(told, _MOST, between='; ')}."
    return [" ".join(filter(None, [said, unfair([[sweep] for sweep in searches])]))]


def unfair(contenders: Sequence[Sequence[Sweep]]) -> str:
    """A sentence where not all of what is compared knew the same trials beforehand, else empty."""
    known = [{place for one in own for place in beforehand(one).warm_start} for own in contenders]
    if not any(known) or all(places == known[0] for places in known):
        return ""
    return (
        "What those trials cost isn't counted here, so comparisons of a warm-started search with "
        "others, or with the one it learned from, by compute, time or trials are not fair."
    )


def named_trials(known: Mapping[str, int | None]) -> str:
    """How many trials of which folders a sampler knew."""
    return and_more([f"{_counted(n)} of {_name(place)}" for place, n in known.items()], _MOST)


def _counted(n: int | None) -> str:
    return "the trials" if n is None else f"{n:,} trial{'' if n == 1 else 's'}"


def _name(place: str) -> str:
    return "/".join(PurePath(place).parts[-2:])
