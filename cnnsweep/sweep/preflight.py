"""What is refused before a sweep's first trial."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.allowed_targets import check_target, check_targets
from cnnsweep.config.composing.combinations import combinations, plain_keys, set_key
from cnnsweep.config.error_messages import short_error
from cnnsweep.config.key_sources import KeySources, key_sources
from cnnsweep.config.launchers import refuse_devices
from cnnsweep.config.overrides import by_key, hydra_lines, task_lines
from cnnsweep.config.own_keys import chosen_by
from cnnsweep.config.validation import monitors_validation
from cnnsweep.errors import UserError, causes, one_line
from cnnsweep.folders.sweep_folder import is_unused, remove_unused
from cnnsweep.machine.gpu_share import own_share
from cnnsweep.sweep.earlier.others import check_others
from cnnsweep.sweep.freeze_thaw.choice import check_pausing
from cnnsweep.sweep.machine.facts import Machine
from cnnsweep.sweep.machine.gpus import devices_of_slots
from cnnsweep.sweep.several_searches import check_searches
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.needs import check_disk, refuse_missing_data
from cnnsweep.sweep.spec.plan import Plan, sampling_of
from cnnsweep.sweep.spec.run_keys import SEED
from cnnsweep.sweep.spec.settings import Settings, SharedSettings
from cnnsweep.sweep.spec.space.search_space import word_of
from cnnsweep.sweep.stacking import refuse_stack
from cnnsweep.sweep.study.opening.compatibility import FACTS
from cnnsweep.sweep.study.opening.lost_study import refuse_lost_study
from cnnsweep.sweep.study.opening.scratch import open_scratch, would_make_file
from cnnsweep.sweep.study.opening.storage import open_storage
from cnnsweep.sweep.study.opening.study import custom_search_space
from cnnsweep.sweep.study.pruning import make_pruner

_SUBDIR = "hydra.sweep.subdir="


class Checkable(Protocol):
    """What a grid and a search have in common here."""

    @property
    def settings(self) -> SharedSettings: ...

    def check(self) -> None:
        """Refuse, by a UserError, what could only fail."""

    def data(self) -> Iterable[Mapping[str, Any]]:
        """The ``data`` of all runs, as plain values; of an app's own runs nothing is known."""


S = TypeVar("S", bound=Checkable)


def checked(context: SweepContext, read: Callable[[], S], machine: Machine) -> S:
    """The sweep that ``read`` makes of its keys, refused where it could only fail.

    Nothing is left then of a folder that was made for it.

    Raises:
        UserError: says why.
    """
    try:
        sweep = read()
        refuse_devices(context.config, sweep.settings.devices)
        devices_of_slots(sweep.settings.devices, machine.gpus, 0)  # refuses one that is not there
        own_share()  # refuses one that is none
        refuse_stack(context, sweep.settings.stack)
        sweep.check()
        if is_unused(context.folder):  # else something may be done already
            refuse_missing_data(context, sweep.data())
    except Exception:
        if not context.config.hydra.sweeper.get("dry_run"):
            remove_unused(context.folder)
        raise
    return sweep


def check_sweep(
    context: SweepContext, settings: Settings, plans: list[Plan]
) -> list[Mapping[str, Any]]:
    """Refuse a sweep that could only fail; else which ``data`` its runs may have, if it is ours.

    Raises:
        UserError: with the parameter, value and reason.
    """
    pruner = make_pruner(settings.pruner, settings.seeds)
    _check_subdir(context)
    if context.is_our_task:
        _check_group_choices(context)
    check_searches(context.folder, settings, plans)
    data: list[Mapping[str, Any]] = []
    for plan in plans:
        if plan.search_number:  # the same as search 0, but for its seeds
            continue
        check_pausing(pruner, plan)
        if context.is_our_task:
            _check_objective(plan)
        sampling_of(plan, settings).sampler_for(0)
        if settings.seeds > 1 or settings.confirm > 0:
            _check_seeds(plan)
        if settings.confirm > 0 and len(plan.objectives) > 1:
            raise UserError(
                f"hydra.sweeper.confirm={settings.confirm} needs one objective to choose a winner "
                f"by, not {len(plan.objectives)}; allowed: 0"
            )
        for resolved in _checked_corners(context, plan):
            if resolved["data"] not in data:
                data.append(resolved["data"])
    check_disk(context.folder)
    _check_studies(context, settings, plans)
    return data if settings.custom_search_space is None else []  # which may draw other data


def _check_studies(context: SweepContext, settings: Settings, plans: list[Plan]) -> None:
    """Refuse studies that could not go on, or that are not there any more."""
    url, folder = settings.storage, context.folder
    only_looks = url is None or settings.dry_run or would_make_file(url)
    theirs = None if only_looks else open_storage(url, folder, None)
    for plan in plans:
        storage = theirs or open_scratch(url, plan.folder, plan.study_name)
        if url is not None:
            check_others(storage, plan, lambda study: FACTS in study.user_attrs)
        refuse_lost_study(plan, storage, url)


def check_sweeper_targets(settings: Settings, context: SweepContext) -> None:
    """Refuse a sampler, a pruner or a function that may not be called, or that is not there.

    Of another app's function its own command says whether it may be: ``hydra.main`` has a list.
    """
    for key in ("sampler", "pruner"):
        node = getattr(settings, key)
        if not isinstance(node, DictConfig):
            raise UserError(
                f"hydra.sweeper.{key}={node}: that is a group of keys, of which one option is "
                f"chosen: hydra/sweeper/{key}=…"
            )
        # In its place, for it may speak of the run's keys: ${epochs}
        check_targets(OmegaConf.to_container(node, resolve=True), f"hydra.sweeper.{key}")
    typed = settings.custom_search_space
    if typed is None:
        return
    place = "hydra.sweeper.custom_search_space"
    if context.is_our_task:
        check_target(typed, place)
    try:
        custom_search_space(settings)
    except (ImportError, InstantiationException) as error:
        *_, first = causes(error)
        raise UserError(f"{place}={typed} cannot be loaded: {one_line(first)}") from error


def _check_subdir(context: SweepContext) -> None:
    typed = [line for line in hydra_lines(context.config.hydra) if _SUBDIR in line]
    if typed:
        raise UserError(
            f"{typed[0]}: a search names its trials' folders itself, by their numbers; leave it out"
        )


def _check_group_choices(context: SweepContext) -> None:
    """Refuse a search whose choice of another group an experiment has overridden."""
    choices = context.config.hydra.runtime.choices
    typed = by_key(task_lines(context.config.hydra))
    for group, option in chosen_by("search", choices.get("search")).items():
        if group not in typed and choices.get(group) != option:
            raise UserError(
                f"search={choices.search} is made for {group}={option}, and "
                f"experiment={choices.get('experiment')} chooses {group}={choices.get(group)}: "
                f"type {group}=… to say which"
            )


def _check_objective(plan: Plan) -> None:
    drawn = plan.space.distributions.get("objective")
    if drawn is not None:
        names = ",".join(map(str, getattr(drawn, "choices", ())))
        raise UserError(
            f"objective={names} would search over the objective; several at once need brackets: "
            f"'objective=[{names}]'"
        )
    names_of_test = [name for name in plan.objectives if name.startswith("test_")]
    if names_of_test and "test" in plan.typed and plan.config.test:
        print(
            f"warning: objective={', '.join(names_of_test)} searches on the test split, so its "
            "metrics say nothing of new images afterwards; allowed as well: val_accuracy, val_loss",
            file=sys.stderr,
        )


def _check_seeds(plan: Plan) -> None:
    if SEED in plan.space.distributions:
        raise UserError("seed cannot be searched over with hydra.sweeper.seeds or confirm")
    if plan.keys.get(SEED) is None:
        raise UserError(
            "hydra.sweeper.seeds and confirm give each run a seed of its own: they need a config "
            "key `seed` with a whole number from 0 up"
        )


def _checked_corners(context: SweepContext, plan: Plan) -> Iterator[dict[str, Any]]:
    """Compose every corner, and check its values where the task is ours: those, as plain values.

    Composing takes a tenth of a second, so it is done for each choice of config groups, and of what
    decides which parameters are active; keys are then set as Hydra would.
    """
    space = plan.space
    loader = context.hydra_context.config_loader
    plain = plain_keys(space.distributions, plan.config, loader)
    deciders = space.deciders()
    keys = [name for name in space.distributions if name in plain and name not in deciders]
    for choices in space.corners([name for name in space.distributions if name not in keys]):
        first = space.first_corner(choices)
        with _said_where(first):
            overrides = plan.overrides(first, test=False, pictures=False)
            config = context.compose(overrides, plan.subfolder or ".", 0)
            sources = key_sources(config) if context.is_our_task else KeySources({}, {})
        for corner in combinations({name: space.ends(name) for name in keys if name in first}):
            with _said_where(choices | corner):
                for name, value in corner.items():
                    set_key(config, word_of(name, value))
                if context.is_our_task:
                    resolved = context.checked(config, sources)
                    _check_run(resolved)
                    yield resolved


def _check_run(resolved: dict[str, Any]) -> None:
    if monitors_validation(resolved) and resolved["data"]["val_fraction"] == 0:
        raise UserError(
            f"a sweep chooses by objective={resolved['objective']}, and data.val_fraction=0 leaves "
            "no validation split; allowed is a fraction above 0, e.g. data.val_fraction=0.1"
        )


@contextmanager
def _said_where(corner: dict[str, object]) -> Iterator[None]:
    try:
        yield
    except (HydraException, OmegaConfBaseException, UserError) as error:
        said = ", ".join(f"{name}={value}" for name, value in corner.items())
        raise UserError(f"{short_error(error)} (in the space at {said})") from error
