"""A process of its own for what needs Optuna: importances, and how busy the workers were.

Optuna's importances take two seconds to import, while the report does the rest. Requests and
answers are JSON on standard input and output.
"""

import json
import math
import sys
import warnings
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

# Optuna imports scikit-learn for evaluators that are not used here: a second saved.
sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]

import optuna  # noqa: E402
from optuna.distributions import (  # noqa: E402
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)
from optuna.importance import get_param_importances  # noqa: E402
from optuna.storages import JournalStorage  # noqa: E402
from optuna.storages.journal import BaseJournalBackend  # noqa: E402
from optuna.trial import FrozenTrial, TrialState  # noqa: E402

from cnnsweep.errors import one_line  # noqa: E402
from cnnsweep.folders.run_folder import PAUSED  # noqa: E402
from cnnsweep.folders.sweep_folder import FOLDER  # noqa: E402

MOST_TRIALS = 3000  # for importances
_FEWEST = 4
_DAMAGE = (LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError)


class ReadOnlyJournal(BaseJournalBackend):
    """A study's log, read only: reading ends at a line that is torn, damaged or too deep.

    Optuna's own backend creates lock files beside the log and fails on a damaged line.
    """

    def __init__(self, path: Path) -> None:
        self._logs: list[dict[str, Any]] = []
        self.torn = False
        with path.open("rb") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    self.torn = True
                    break
                self._logs.append(entry)

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The entries from a number on."""
        yield from self._logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Refuse: a report changes no study."""
        raise PermissionError(f"a report writes no study ({len(logs)} entries)")


def facts(request: Mapping[str, Any]) -> dict[str, Any]:
    """``importances``, ``workers``, ``busy_seconds``, ``span_seconds``, or ``error``: one line."""
    journal = request["journal"]
    try:
        study = _load(Path(journal)) if journal else _made(request)
        trials = study.get_trials(deepcopy=False)
        has_space = any(trial.params for trial in trials)  # the study of a grid has none
        return {
            "importances": _importances(study if has_space else _made(request)),
            **({} if request["stacked"] else _busy(_ours(trials), request["workers"])),
        }
    except (*_DAMAGE, OSError, RuntimeError) as error:
        return {"error": one_line(error)[:200]}


def _load(path: Path) -> optuna.Study:
    storage = JournalStorage(ReadOnlyJournal(path))
    names = optuna.get_all_study_names(storage)
    if not names:
        raise ValueError("no study in the log")
    return optuna.load_study(study_name=names[0], storage=storage)


def _made(request: Mapping[str, Any]) -> optuna.Study:
    """A study of the runs of a grid, or of a search whose study is in a database."""
    study = optuna.create_study(direction="maximize" if request["maximize"] else "minimize")
    space = {key: _distribution(values) for key, values in request["params"].items()}
    for number, value in enumerate(request["values"]):
        params = {key: values[number] for key, values in request["params"].items()}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=value))
    return study


def _distribution(values: Sequence[Any]) -> BaseDistribution:
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        low, high = min(values), max(values)
        return FloatDistribution(low, high, log=low > 0 and high / low >= 50)
    return CategoricalDistribution(sorted(set(values), key=str))


def _importances(study: optuna.Study) -> dict[str, float]:
    """Importances of the parameters; {} where there are too few trials or several objectives."""
    done = _ours(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
    if len(study.directions) > 1 or len(done) < _FEWEST or len({t.value for t in done}) < 2:
        return {}
    are_all = len(done) == len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
    if len(done) > MOST_TRIALS or not are_all:
        study = optuna.create_study(direction=study.direction)
        study.add_trials(done[:MOST_TRIALS])
    found = get_param_importances(study)
    return {key: value for key, value in found.items() if math.isfinite(value)}


def _ours(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Those with a run folder, which trials of others lack; all in a study of the report's."""
    return [trial for trial in trials if FOLDER in trial.user_attrs] or trials


def _busy(trials: Sequence[FrozenTrial], workers: int | None) -> dict[str, Any]:
    """Seconds spent in trials, and seconds that the workers were available for.

    Only time in which some trial ran counts as available: not the hours between two launches.
    {} where trials were paused: from a trial's start to its end other trials ran in its worker, as
    they do in a stack.
    """
    if any(PAUSED in trial.user_attrs for trial in trials):
        return {}
    spans = sorted(
        (t.datetime_start, t.datetime_complete)
        for t in trials
        if t.datetime_start is not None and t.datetime_complete is not None
    )
    if not spans:
        return {}
    most = workers or _most_at_once(spans)
    busy = sum((end - start).total_seconds() for start, end in spans)
    return {"workers": most, "busy_seconds": busy, "span_seconds": _union(spans) * most}


def _union(spans: Sequence[tuple[datetime, datetime]]) -> float:
    total, reached = 0.0, spans[0][0]
    for start, end in spans:
        if end > reached:
            total += (end - max(start, reached)).total_seconds()
            reached = end
    return total


def _most_at_once(spans: Sequence[tuple[datetime, datetime]]) -> int:
    changes = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


def main() -> None:
    """Answer one line of requests."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # on the study, which the reader of a report cannot change
    json.dump([facts(request) for request in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
