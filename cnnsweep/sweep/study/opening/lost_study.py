"""A search whose study is gone while its runs are there: it would begin anew over them."""

from collections.abc import Iterator
from pathlib import Path

from optuna.storages import BaseStorage
from optuna.study import load_study

from cnnsweep.errors import UserError, and_more
from cnnsweep.folders.run_folder import CONFIG, HYDRA, RESULT, RunFolder
from cnnsweep.folders.sweep_folder import JOURNAL, SweepFolder, numbered, seed_runs
from cnnsweep.folders.typed_words import path_word
from cnnsweep.redact import masked_word
from cnnsweep.sweep.spec.plan import Plan

_RUN = (CONFIG, RESULT, HYDRA)  # one of them makes a numbered folder a trial's


def refuse_lost_study(plan: Plan, storage: BaseStorage, url: str | None) -> None:
    """Refuse a search whose folder has runs, or results, of which its study knows nothing.

    A study cannot be made anew from the runs: what the sampler was told, and when, is not there.
    ``storage`` should have the study; nothing is written there. ``url`` is the storage typed.

    Raises:
        UserError: says what is there, and what to do.
    """
    there = [*_trials(plan.folder)]  # before the study is read, where a trial comes first
    results = SweepFolder(plan.folder).results
    if not there and not results.exists():
        return
    known = _known(plan, storage)
    lost = [str(number) for number in there if number not in known]
    found = [f"trial {and_more(lost)}"] if lost else []
    if not known and results.exists():
        found.append(results.name)
    if found:
        raise _refused(plan, " and ".join(found), url)


def _trials(search: Path) -> Iterator[int]:
    for number, folder in numbered(search, ""):
        if any((run / name).exists() for run in (folder, *seed_runs(folder)) for name in _RUN):
            yield number


def _known(plan: Plan, storage: BaseStorage) -> set[int]:
    try:
        study = load_study(study_name=plan.study_name, storage=storage)
    except KeyError:
        return set()
    return {trial.number for trial in study.get_trials(deepcopy=False)}


def _refused(plan: Plan, found: str, url: str | None) -> UserError:
    back = f"Bring its {JOURNAL} back (or type its hydra.sweeper.storage)"
    if url is not None:
        typed = path_word("hydra.sweeper.storage", masked_word(url))
        back = f"Bring back what {typed} had (or type the storage that has its study)"
    line = (
        f"{RunFolder(plan.folder)} has {found}, and the study {plan.study_name!r} knows nothing of "
        f"that: a search would begin anew over them. {back}, "
        "or choose another folder with hydra.sweep.dir=FOLDER"
    )
    if plan.is_ours:
        word = path_word("hydra.sweeper.warm_start", str(RunFolder(plan.sweep)))
        line += f"; {word} tells a search there of them"
    return UserError(line)
