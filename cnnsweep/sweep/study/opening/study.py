"""Opening a search: its storage, its study, and what was fixed at its first launch."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from optuna.study import Study
from optuna.trial import Trial, TrialState

from cnnsweep.dotted_keys import remove
from cnnsweep.errors import UserError
from cnnsweep.folders.provenance import code, versions
from cnnsweep.folders.run_folder import LAST
from cnnsweep.sweep.earlier.enqueued import enqueue_first
from cnnsweep.sweep.earlier.others import refuse_other_directions, take_over
from cnnsweep.sweep.earlier.warm_start import earlier_trials, record_warm_start
from cnnsweep.sweep.freeze_thaw.choice import is_typed, pruner_as_begun
from cnnsweep.sweep.freeze_thaw.dropping import InStudyAlone, drop_paused
from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.failure_policy import FailureWatch
from cnnsweep.sweep.spec.plan import Plan, sampling_of
from cnnsweep.sweep.spec.run_keys import THREADS
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.conditions import in_words
from cnnsweep.sweep.spec.space.points import identity
from cnnsweep.sweep.study.ask import Asker
from cnnsweep.sweep.study.confirmation import Confirmation
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.opening.compatibility import (
    FACTS,
    OF_A_LAUNCH,
    Facts,
    as_facts,
    sets_as_before,
    settle,
)
from cnnsweep.sweep.study.opening.longer_search import longer_search
from cnnsweep.sweep.study.opening.scratch import storage_of_launch
from cnnsweep.sweep.study.opening.storage_outage import OutageStorage
from cnnsweep.sweep.study.pruning import make_pruner
from cnnsweep.sweep.study.retries import Retries
from cnnsweep.sweep.study.same_data import SearchData
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.study.tell import Recorder
from cnnsweep.sweep.study.trial_results import lacks_checkpoint

SWEEP_FOLDER = "sweep_folder"
Say = Callable[[str], None]


def open_search(
    search_index: int,
    plan: Plan,
    settings: Settings,
    context: SweepContext,
    watch: FailureWatch,
    time_left: Callable[[], float],
    coordination: Coordination,
    say: Say,
) -> Search:
    """The search of ``plan``, new or as an earlier launch left it; may be called again.

    Raises:
        UserError: what is recorded there does not go with this launch.
        TryLater: the storage is away, or another host writes to it.
    """
    study = _open_study(plan, settings, coordination)
    plan, settings = _as_begun(study, plan, settings, context, say)
    SearchData(study, plan).refuse_other_data(context, settings.seeds)
    settle(study, _facts(plan, settings), say, _longer(study, context))
    _own(study, plan, settings)
    record_warm_start(study, plan, settings, say)
    enqueue_first(study, plan, settings, context, say)
    recorder = Recorder(plan, study, watch, say, context.log_file("").name)
    if (name := LAST if plan.is_ours else plan.checkpoint) is not None:
        lacks = partial(lacks_checkpoint, name=name)
        dropper = InStudyAlone(study) if coordination.only_looks else recorder
        drop_paused(study, dropper, lambda t: lacks(plan.place(t)), "no checkpoint")
    return Search(
        search_index=search_index,
        plan=plan,
        seeds=settings.seeds,
        retries=Retries(recorder, settings.retries),
        study=study,
        asker=_asker(study, plan, settings, context.config),
        recorder=recorder,
        confirmation=Confirmation(
            search_index, plan, study, recorder, wanted=settings.confirm, seeds=settings.seeds
        ),
        time_left=time_left,
        coordination=coordination,
        may_confirm=coordination.is_alone,
    )


def _as_begun(
    study: Study, plan: Plan, settings: Settings, context: SweepContext, say: Say
) -> tuple[Plan, Settings]:
    """With what an earlier launch has fixed; takes over a study that others began."""
    recorded = study.user_attrs.get(FACTS)
    if recorded is None:
        take_over(study, plan, say)
        return plan, settings
    plan = replace(plan, sets_as_before=not plan.is_ours and sets_as_before(recorded))
    if THREADS not in plan.typed:
        plan = replace(plan, threads=recorded["threads"] or None)  # 0: an app without such a key
    if not is_typed(context):
        pruner = pruner_as_begun(recorded["pruner"], settings.pruner, say)
        settings = replace(settings, pruner=pruner)
        study.pruner = make_pruner(pruner, settings.seeds)
    return plan, settings


def _asker(study: Study, plan: Plan, settings: Settings, config: DictConfig) -> Asker:
    return Asker(
        study,
        sampling_of(plan, settings),
        plan.space.distributions,
        custom_search_space(settings),
        config,
        plan.n_trials,
        plan.points,
        conditions=plan.space.conditions,
        earlier=earlier_trials(study, plan.space),
    )


def custom_search_space(settings: Settings) -> Callable[[DictConfig, Trial], None] | None:
    """The user's function that draws further parameters."""
    if settings.custom_search_space is None:
        return None
    extend: Callable[[DictConfig, Trial], None] = instantiate(
        {"_target_": settings.custom_search_space, "_partial_": True}
    )
    return extend


def _open_study(plan: Plan, settings: Settings, coordination: Coordination) -> Study:
    storage: Any = storage_of_launch(settings.storage, plan, coordination)
    if (settings.shared or settings.storage is not None) and not coordination.only_looks:
        storage = OutageStorage(storage, coordination.check)
    study = optuna.create_study(
        study_name=plan.study_name,
        storage=storage,
        sampler=optuna.samplers.RandomSampler(),  # each trial gets its own
        pruner=make_pruner(settings.pruner, settings.seeds),
        directions=plan.directions,
        load_if_exists=True,
    )
    refuse_other_directions(study, plan, "choose another hydra.sweep.dir")
    return study


def _own(study: Study, plan: Plan, settings: Settings) -> None:
    """Refuse a database's study that belongs to another sweep folder; record ours as its owner."""
    if settings.storage is None:
        return
    owner = study.user_attrs.get(SWEEP_FOLDER)
    if owner not in (None, str(plan.folder)) and Path(owner).is_dir():
        raise UserError(
            f"study {plan.study_name!r} belongs to {owner}: resume it there "
            f"(hydra.sweep.dir={owner}) or choose another hydra.sweeper.study_name"
        )
    if owner != str(plan.folder):
        study.set_user_attr(SWEEP_FOLDER, str(plan.folder))


def _facts(plan: Plan, settings: Settings) -> Facts:
    config = OmegaConf.to_container(plan.config, resolve=False)
    assert isinstance(config, dict)
    for key in ("hydra", *(OF_A_LAUNCH if plan.is_ours else ())):
        config.pop(key, None)
    for name in plan.space.distributions:
        remove(config, name.lstrip("+").split("@")[0])
    return Facts(
        config={str(key): value for key, value in config.items()},
        space=as_facts(plan.space.distributions),
        conditions={name: in_words(one) for name, one in plan.space.conditions.items()},
        objectives=dict(zip(plan.objectives, plan.directions, strict=True)),
        seeds=settings.seeds,
        seed=plan.seed,
        threads=plan.threads or 0,
        sampler=_plain(settings.sampler),
        pruner=_plain(settings.pruner),
        keep_best=settings.keep_best,
        default_first=settings.default_first,
        code={**versions(), **code().as_plain()},
        is_ours=plan.is_ours,
    )


def _plain(config: DictConfig) -> dict[str, Any]:
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _longer(study: Study, context: SweepContext) -> str | None:
    trials = study.get_trials(deepcopy=False)
    points = {identity(t.params) for t in trials if t.state is TrialState.COMPLETE}
    return longer_search(context, len(points), sum(map(is_paused, trials)))
