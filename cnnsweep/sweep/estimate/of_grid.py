"""What a grid has still to do."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from cnnsweep.errors import and_more
from cnnsweep.folders.longer import begun
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.redact import masked_word
from cnnsweep.sweep.estimate.outlook import Outlook, Trial
from cnnsweep.sweep.grid.ask import DONE
from cnnsweep.sweep.grid.numbering import SEED, GridJob
from cnnsweep.sweep.grid.search import GridSearch
from cnnsweep.sweep.spec.run_keys import EPOCHS

_SHOWN = 20  # jobs, of more the first and the last ones
_ENDS = 5

Resolve = Callable[[int, int], dict[str, Any]]


def outlook_of_grid(
    search: GridSearch, resolve: Resolve, kept: int | None, *, ours: bool
) -> Outlook:
    """The jobs that are not done; ``resolve`` gives the config of one by place and number.

    ``ours``: they are runs of this package, whose configs say what they cost.
    """
    latest = search.asker.latest()
    left = [
        (place, job, folder)
        for place, (job, folder) in enumerate(search.asker.jobs)
        if not _is_done(search, latest.get(job.number))
    ]
    configs = [resolve(place, job.number) for place, job, _ in left] if ours else []
    trials = (
        [
            Trial(index, max(0, int(config[EPOCHS]) - _trained(search, folder)))
            for index, (config, (_, _, folder)) in enumerate(zip(configs, left, strict=True))
        ]
        if ours
        else []
    )
    lines = list(_lines(search, latest, [job for _, job, _ in left]))
    if kept is not None:
        kept *= _seeds([job for _, job, _ in left])
    return Outlook(lines, configs, trials, kept=kept)


def _seeds(jobs: Sequence[GridJob]) -> int:
    """The most jobs that differ in their seed alone, and are one setting."""
    settings = Counter(
        tuple((key, value) for key, value in job.swept.items() if key != SEED) for job in jobs
    )
    return max(settings.values(), default=1)


def _is_done(search: GridSearch, trial: FrozenTrial | None) -> bool:
    return trial is not None and trial.state in DONE and not search.asker.is_failed_before(trial)


def _trained(search: GridSearch, folder: str) -> int:
    """The epochs that a job's run has behind it, where it goes on."""
    place = search.plan.folder / folder
    run = RunFolder(begun(place) or place)
    return len(run.read_metrics()) if run.last.exists() else 0


def _lines(
    search: GridSearch, latest: dict[int, FrozenTrial], left: Sequence[GridJob]
) -> Iterator[str]:
    yield from job_lines(left)
    done = [str(n) for n, trial in sorted(latest.items()) if _is_done(search, trial)]
    if done:
        yield f"done, and not run again: {len(done)} ({and_more(done)})"
    failed = [str(n) for n, trial in sorted(latest.items()) if trial.state is TrialState.FAIL]
    if failed:
        yield f"tried again, for they failed: {and_more(failed)}"


def job_lines(jobs: Sequence[GridJob]) -> Iterator[str]:
    """A line for each job; of many for the first and the last ones."""
    are_many = len(jobs) > _SHOWN
    for place, job in enumerate([*jobs[:_ENDS], *jobs[-_ENDS:]] if are_many else jobs):
        if place == _ENDS and are_many:
            yield f"… {len(jobs) - 2 * _ENDS} more"
        words = " ".join(map(masked_word, job.overrides))
        yield f"job {job.number}: {words or 'the config as it is'}"
