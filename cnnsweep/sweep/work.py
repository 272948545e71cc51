"""What the searches of a launch have for its workers to do."""

from collections.abc import Sequence

from omegaconf import OmegaConf

from cnnsweep.sweep.machine.sizing import Work
from cnnsweep.sweep.machine.workers import Limit, counted
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.study.search import Search


def work_of(plans: Sequence[Plan], searches: Sequence[Search]) -> Work:
    """The work of opened searches, whose plans may differ by what an earlier launch fixed."""
    found = [search.plan for search in searches]
    return Work(
        _limit(searches),
        threads=[plan.threads for plan in found],
        devices=[OmegaConf.select(plan.config, "device") for plan in found],
        kept_threads=any(a.threads != b.threads for a, b in zip(plans, found, strict=True)),
    )


def _limit(searches: Sequence[Search]) -> Limit:
    """A quarter of its trials for each search: the sampler has then seen most when it proposes one.

    All of them where every point is tried, whatever came of the others.
    """
    trials = [search.asker.trials_in_all() for search in searches]
    where = f" of {len(searches)} searches" if len(searches) > 1 else ""
    if all(search.asker.takes_every_point for search in searches):
        return Limit(sum(trials), f"{counted(sum(trials), 'trial')}{where}")
    quarter = sum(max(1, number // 4) for number in trials)
    return Limit(quarter, f"a quarter of {counted(sum(trials), 'trial')}{where}")
