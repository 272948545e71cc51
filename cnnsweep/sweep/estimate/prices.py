"""What the runs of a sweep cost: by earlier runs of their kind, else by steps timed now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnsweep.config.launchers import name, runs_here
from cnnsweep.config.own_keys import DATA_KEYS
from cnnsweep.dotted_keys import look_up
from cnnsweep.errors import UserError
from cnnsweep.folders import run_folder, sweep_folder
from cnnsweep.folders.provenance import hardware
from cnnsweep.sweep.estimate.costs import Cost, Kind, filled, to_measure
from cnnsweep.sweep.estimate.earlier.known import FLAGS, Known, known_costs
from cnnsweep.sweep.estimate.earlier.runs import earlier_runs
from cnnsweep.sweep.estimate.kinds import kind_of
from cnnsweep.sweep.estimate.outlook import Config
from cnnsweep.sweep.estimate.timing.measure import Measured, measure
from cnnsweep.sweep.machine.facts import Machine
from cnnsweep.sweep.machine.sizing import Crew
from cnnsweep.sweep.machine.workers import counted
from cnnsweep.sweep.spec.compose import SweepContext

MOST_TIMED = 8  # kinds of runs


@dataclass(frozen=True)
class Prices:
    """The cost of each config, seconds of a worker's ``start``, and where all that comes from.

    ``finish``: seconds that a confirmation run takes longer than a trial. ``validated``: images of
    the validation split, 0 where nobody knows. ``costs`` is None where nothing is known. ``share``
    is that of a core which a run gets now, of what it would get were nothing else at work;
    ``timed``: the costs were found with that share. ``notes``: what a person should know besides.
    """

    costs: Sequence[Cost] | None
    start: float
    finish: float
    validated: int
    basis: str
    notes: Sequence[str] = ()
    share: float = 1.0
    timed: bool = False


def prices_of(
    context: SweepContext,
    configs: Sequence[Config],
    crew: Crew,
    machine: Machine,
    *,
    confirms: bool,
) -> Prices:
    """The prices of resolved configs, of which many may be alike.

    Raises:
        UserError: a run could not begin: its data are not there, or its device.
    """
    kinds = [kind_here(config, machine) for config in configs]
    known = _by_earlier_runs(context, kinds, configs[0], len(crew.gpus), machine)
    if set(kinds) <= known.costs.keys():
        found = measure(_apart(configs), [], crew.gpus[:1], crew.environment)
        costs = [known.costs[kind] for kind in kinds]
        share = _share(found, machine)
        basis, notes = _of_earlier(known), _notes(found)
        return Prices(costs, found.start, 0.0, known.validated, basis, notes, share)
    return _by_steps(context, kinds, configs, crew, machine, confirms=confirms)


def _share(found: Measured, machine: Machine) -> float:
    """More processes than cores have less than one each even where nothing else is at work."""
    cores = machine.cores if machine.quota is None else min(machine.cores, machine.quota)
    return min(1.0, found.share / min(1.0, cores / max(1, found.processes)))


def kind_here(config: Config, machine: Machine) -> Kind:
    """The kind of a run that is yet to come."""
    device, precision = config["device"], config["precision"]
    if device == "auto":
        device = "cuda" if machine.gpus else "cpu"
    return kind_of(config, device, precision, config["threads"])


def _by_earlier_runs(
    context: SweepContext, kinds: Sequence[Kind], first: Config, workers: int, machine: Machine
) -> Known:
    if not runs_here(context.config):
        return Known({}, 0, 1.0)
    roots = (run_folder.ROOT, sweep_folder.ROOT, context.folder)
    past = earlier_runs(roots, hardware(), has_gpu=bool(machine.gpus))
    return known_costs(past, set(kinds), workers, {key: first.get(key) for key in FLAGS})


def _by_steps(
    context: SweepContext,
    kinds: Sequence[Kind],
    configs: Sequence[Config],
    crew: Crew,
    machine: Machine,
    *,
    confirms: bool,
) -> Prices:
    chosen = to_measure(Counter(kinds), MOST_TIMED)
    timed = [configs[kinds.index(kind)] for kind in chosen]
    whole = [{**timed[0], **dict.fromkeys(FLAGS, True)}] if confirms else []
    gpus = crew.gpus if runs_here(context.config) else crew.gpus[:1]
    found = measure(_apart(configs), [*timed, *whole], gpus, crew.environment)
    if len(found.costs) < len(timed):
        return Prices(None, found.start, 0.0, 0, "; ".join(_notes(found)))
    told = zip(chosen, found.costs, strict=False)
    known = {kind: cost for kind, cost in told if cost is not None}
    if not known:
        raise UserError(found.unfit[0])
    costs = filled(known, kinds)
    trial, confirmation = found.costs[0], found.costs[-1]
    finish = 0.0
    if confirms and trial is not None and confirmation is not None:
        finish = max(0.0, confirmation.end - trial.end)
    basis = _of_steps(context, len(chosen), len(set(kinds)), found)
    each, share = [costs[kind] for kind in kinds], _share(found, machine)
    start, images = found.start, found.validated
    return Prices(each, start, finish, images, basis, _notes(found), share, timed=True)


def _apart(configs: Sequence[Config]) -> list[Config]:
    """One config for each data set, device and precision."""
    keys = ("data", "device", "precision")
    return list({repr([_which(c, key) for key in keys]): c for c in configs}.values())


def _which(config: Config, key: str) -> Any:
    value: Any = look_up(config, key)
    if key != "data" or not isinstance(value, Mapping):
        return value
    return {name: one for name, one in value.items() if name not in DATA_KEYS}


def _of_earlier(known: Known) -> str:
    beside = round(known.beside)
    said = "" if beside == 1 else f", which ran about {beside} side by side"
    return f"by {counted(known.runs, 'earlier run')} of the same network, data and hardware{said}"


def _of_steps(context: SweepContext, timed: int, kinds: int, found: Measured) -> str:
    several = "" if kinds == 1 else f" of {timed} of {kinds} kinds of runs"
    beside = "" if found.processes == 1 else f", in {found.processes} processes side by side"
    line = f"by some steps{several} timed just now{beside}; no earlier runs are like these"
    if runs_here(context.config):
        return line
    return f"{line}; on this machine, and not where hydra/launcher={name(context.config)} runs them"


def _notes(found: Measured) -> list[str]:
    notes = [] if found.note is None else [found.note]
    return [*notes, *(f"some runs would fail: {line}" for line in dict.fromkeys(found.unfit))]
