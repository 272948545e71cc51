"""What earlier runs like a sweep's took, looked up while its workers start."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from cnnsweep.folders import run_folder, sweep_folder
from cnnsweep.folders.provenance import hardware
from cnnsweep.sweep.estimate.earlier.known import FLAGS, known_costs
from cnnsweep.sweep.estimate.earlier.runs import earlier_runs
from cnnsweep.sweep.estimate.kinds import are_alike
from cnnsweep.sweep.estimate.live import Before, TimeLeft
from cnnsweep.sweep.estimate.outlook import Config
from cnnsweep.sweep.estimate.prices import kind_here
from cnnsweep.sweep.machine.facts import Machine
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.run_keys import EPOCHS
from cnnsweep.sweep.study.search import Search


def look_back(
    context: SweepContext, searches: Sequence[Search], machine: Machine, left: TimeLeft
) -> None:
    """Have ``left`` know what earlier runs took, soon: a thread looks for them.

    Nothing is looked for where runs differ in what they cost, or are another app's.
    """
    plans = [search.plan for search in searches]
    if not context.is_our_task or len(plans) > 1 or not are_alike(plans[0].varied):
        return
    config = dict(context.resolved(plans[0].config))
    config["threads"] = plans[0].threads
    roots = (run_folder.ROOT, sweep_folder.ROOT, context.folder)
    arguments = (config, [root.resolve() for root in roots], machine, left)
    threading.Thread(target=_look, args=arguments, daemon=True).start()


def _look(config: Config, roots: Iterable[Path], machine: Machine, left: TimeLeft) -> None:
    left.know(before_of(config, roots, machine, left.workers))


def before_of(
    config: Config, roots: Iterable[Path], machine: Machine, workers: int
) -> Before | None:
    """What a run with a resolved config takes, by earlier ones of any batch size."""
    past = earlier_runs(roots, hardware(), has_gpu=bool(machine.gpus))
    family = kind_here(config, machine).family
    flags = {key: config.get(key) for key in FLAGS}
    costs = known_costs(past, None, workers, flags, family).costs.values()
    if not costs:
        return None
    epochs = int(config[EPOCHS])
    return Before(
        median(cost.seconds(epochs) for cost in costs), median(cost.epoch for cost in costs)
    )
