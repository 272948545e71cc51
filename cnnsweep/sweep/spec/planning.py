"""The plans of a sweep's searches, from its keys and the command line."""

from collections.abc import Iterator
from dataclasses import replace

from hydra.core.utils import filter_overrides
from hydra.errors import HydraException
from numpy.random import SeedSequence
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from cnnsweep.config.own_keys import options_with
from cnnsweep.errors import UserError
from cnnsweep.folders.sweep_folder import SEARCH
from cnnsweep.metric_names import direction_of
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import DEFAULT_STUDY, UNNAMED, Plan, threads_of
from cnnsweep.sweep.spec.run_keys import OBJECTIVE, SEED, RunKeys
from cnnsweep.sweep.spec.samplers import grid_size, is_grid_sampler
from cnnsweep.sweep.spec.settings import Settings, directions
from cnnsweep.sweep.spec.space.choice_keys import spaces_of_choices
from cnnsweep.sweep.spec.space.points import count_points
from cnnsweep.sweep.spec.space.search_space import SearchSpace

_A_SPACE = {
    True: "choose a space (search=sgd), or give one ('optim.lr=tag(log, interval(1e-4, 1))')",
    False: "give a space, as hydra.sweeper.params or in words ('KEY=interval(LOW, HIGH)')",
}


def make_plans(context: SweepContext, settings: Settings, arguments: list[str]) -> list[Plan]:
    """One plan for each choice of ``hydra.sweeper.compare`` and each of ``hydra.sweeper.searches``.

    Every choice's search 0 comes before any search 1, so that a sweep that is cut short has
    compared all of them.

    Raises:
        UserError: there is no space to search, or nothing comes of it.
        hydra.errors.HydraException: the config does not compose.
    """
    typed = context.words_of_jobs(filter_overrides(arguments))
    spaces, notes = spaces_of_choices(context, settings, typed)
    choices = [
        _plan(context, settings, space, [*typed, word], word.partition("=")[2])
        for word, space in spaces.items()
    ]
    choices = [replace(choices[0], notes=tuple(notes)), *choices[1:]]
    return list(_repeated(choices, settings.searches)) if settings.searches > 1 else choices


def _repeated(choices: list[Plan], searches: int) -> Iterator[Plan]:
    """Each plan ``searches`` times, each time with a folder, a study and seeds of its own."""
    for number in range(searches):
        for plan in choices:
            name = f"{SEARCH}{number}"
            yield replace(
                plan,
                subfolder=f"{plan.subfolder}/{name}" if plan.subfolder else name,
                study_name=f"{plan.study_name}/{name}",
                seed=_seed_of_search(plan.seed, number),
                search_number=number,
                notes=plan.notes if number == 0 else (),
            )


def _seed_of_search(seed: int, number: int) -> int:
    """The sampler's seed of one of several searches; the first has that of a single one."""
    if number == 0:
        return seed
    return int(SeedSequence([seed % 2**64, number]).generate_state(1)[0])


def _plan(
    context: SweepContext, settings: Settings, space: SearchSpace, typed: list[str], subfolder: str
) -> Plan:
    if not space.distributions and settings.custom_search_space is None:
        raise UserError(f"there is nothing to search over: {_A_SPACE[context.is_our_task]}")
    try:
        config = context.compose(space.overrides(space.first_corner()), subfolder or ".", 0)
    except HydraException as error:
        _refuse_space(error, settings, context)
        raise
    _check_metric(settings, context)
    keys = RunKeys(config, context.is_our_task)
    is_theirs = OBJECTIVE in space.distributions and not keys.is_ours  # any key may be drawn
    objectives = [] if is_theirs else keys.objectives(settings.direction)
    if settings.metric is not None:
        objectives = [settings.metric]
    ways = directions(settings.direction or direction_of(settings.metric or ""), objectives)
    n_trials, points = settings.n_trials, None
    if is_grid := is_grid_sampler(settings.sampler):
        n_trials = min(n_trials, grid_size(space.distributions))
    if settings.custom_search_space is None and (space.conditions or not is_grid):
        points = count_points(space.distributions, space.conditions)
    if is_grid and points is not None:  # fewer than the product of all values
        n_trials = min(n_trials, points)
    return Plan(
        sweep=context.folder,
        subfolder=subfolder,
        study_name=_study_name(context, settings, subfolder),
        space=space,
        config=config,
        objectives=tuple(objectives or _unnamed(len(ways))),
        directions=tuple(ways or ["minimize"]),
        n_trials=n_trials,
        points=points,
        seed=_seed(settings.sampler, keys),
        threads=threads_of(keys),
        typed=frozenset(line.split("=")[0].lstrip("+~") for line in [*typed, *space.distributions]),
        is_ours=context.is_our_task,
        knows_resume=context.knows_resume,
        metric=settings.metric,
        checkpoint=settings.checkpoint,
    )


def _check_metric(settings: Settings, context: SweepContext) -> None:
    """Refuse the keys for other apps in a sweep of ours, and a metric that may be good or bad."""
    name = settings.metric
    if context.is_our_task:
        for key in ("metric", "checkpoint"):
            if (value := getattr(settings, key)) is not None:
                raise UserError(
                    f"hydra.sweeper.{key}={value} is for runs of other apps; of ours "
                    "objective=… names the metric, and each goes on from its own checkpoint"
                )
    elif name is not None and settings.direction is None and direction_of(name) is None:
        raise UserError(
            f"hydra.sweeper.metric={name}: hydra.sweeper.direction=minimize or maximize says which "
            "of its values are better"
        )


def _unnamed(count: int) -> list[str]:
    """What the values are called that an app returns without a name for them."""
    return [f"value_{i}" for i in range(count)] if count > 1 else [UNNAMED]


def _refuse_space(error: HydraException, settings: Settings, context: SweepContext) -> None:
    """Say it where a key is unknown that nobody typed, but the choice of a search."""
    cause = error.__cause__
    key = getattr(cause, "full_key", None)
    if not isinstance(cause, ConfigAttributeError | ConfigKeyError):
        return
    if key not in (settings.params or {}):
        return
    search = context.config.hydra.runtime.choices.get("search") if context.is_our_task else None
    whose = "hydra.sweeper.params" if search is None else f"search={search}"
    group, escaped = key.partition(".")[0], key.replace(".", "\\.")
    chosen = f"{group}={context.config.hydra.runtime.choices.get(group)}"
    having = ", ".join(options_with(key))
    hint = f" ({group}={having} have it)" if having else ""
    raise UserError(
        f"{whose} searches over {key}, which {chosen} lacks{hint}; to leave it out of the space: "
        f"'~hydra.sweeper.params.{escaped}'"
    ) from error


def _study_name(context: SweepContext, settings: Settings, subfolder: str) -> str:
    """Fixed, since Hyperband sorts trials by it; a database may hold studies of other folders."""
    name = settings.study_name
    if name is None:
        name = DEFAULT_STUDY if settings.storage is None else str(context.folder)
    return f"{name}/{subfolder}" if subfolder else name


def _seed(sampler: DictConfig, keys: RunKeys) -> int:
    typed = sampler.get(SEED)
    if typed is not None:
        return int(typed)
    seed = keys.get(SEED)
    return seed if isinstance(seed, int) else 0
