"""What the searches of a launch, or its grid, have for workers to do."""

from collections.abc import Iterator, Sequence

from optuna.distributions import CategoricalDistribution

from cnnsweep.sweep.machine.sizing import Work
from cnnsweep.sweep.machine.workers import Limit, counted
from cnnsweep.sweep.spec.plan import Plan, threads_of
from cnnsweep.sweep.spec.run_keys import DEVICE, THREADS
from cnnsweep.sweep.spec.settings import GridSettings, SharedSettings
from cnnsweep.sweep.study.search import Search


def work_of(searches: Sequence[Search], settings: SharedSettings) -> Work:
    """The work of opened searches, which know what an earlier launch has fixed."""
    plans = [search.plan for search in searches]
    most = settings.max_batch_size if isinstance(settings, GridSettings) else None
    return Work(
        _limit(searches),
        threads=[one for plan in plans for one in _values(plan, THREADS, plan.threads)],
        devices=[one for plan in plans for one in _values(plan, DEVICE, plan.keys.get(DEVICE))],
        kept_threads=any(plan.threads not in (None, threads_of(plan.keys)) for plan in plans),
        most=None if most is None else Limit(most, f"hydra.sweeper.max_batch_size={most}"),
        noun=searches[0].plan.noun,
    )


def _limit(searches: Sequence[Search]) -> Limit:
    """A quarter of its trials for each search: the sampler has then seen most when it proposes one.

    All of them where every point is tried, whatever came of the others.
    """
    trials = [search.asker.trials_in_all() for search in searches]
    where = f" of {len(searches)} searches" if len(searches) > 1 else ""
    said = f"{counted(sum(trials), searches[0].plan.noun)}{where}"
    if all(search.asker.takes_every_point for search in searches):
        return Limit(sum(trials), said)
    return Limit(sum(max(1, number // 4) for number in trials), f"a quarter of {said}")


def _values(plan: Plan, key: str, shared: object) -> Iterator[object]:
    """A key's values in the runs of a plan, of a range the highest.

    ``shared`` where they do not differ in it.
    """
    if key in plan.space.distributions:
        drawn = plan.space.distributions[key]
        ends = plan.keys.drawn(key, drawn) or (None,)
        yield from ends if isinstance(drawn, CategoricalDistribution) else ends[-1:]
    elif key in plan.swept and plan.is_ours:
        yield from (swept[key] for swept in plan.jobs.values() if key in swept)
    else:
        yield shared if shared is not None else plan.keys.get(key)
