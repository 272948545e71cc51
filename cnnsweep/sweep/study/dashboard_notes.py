"""Notes in Optuna's dashboard: a trial's outcome, its folder, and the command that repeats it.

The dashboard keeps notes in the study's system attributes. They are written in its format (that of
``optuna_dashboard.save_note``, 0.21) rather than by it, since it is an extra.
"""

import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml
from optuna.study import Study
from optuna.trial import FrozenTrial

from cnnsweep.folders.run_folder import HYDRA, OVERRIDES
from cnnsweep.folders.typed_words import path_word
from cnnsweep.sweep.freeze_thaw.paused import PAUSED
from cnnsweep.sweep.spec.formatting import format_params, format_value
from cnnsweep.sweep.spec.optuna_internals import storage_of, study_id, trial_id
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.task.folder_lines import FROM

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is there
_WIDTH = 80  # characters
_LONGEST = 2045  # characters that the dashboard keeps in one attribute, since databases limit them
_LINE = "\n---\n\n"  # between our note and what a person wrote
_PAUSED_FIRST = f"**{PAUSED}** as long as its user attribute `{PAUSED}`"
_PAUSED_LAST = "(At the trial's end this note gives way to another.)"
_OF_A_PAUSE = re.compile(
    rf"{re.escape(_PAUSED_FIRST)}.*?{re.escape(_PAUSED_LAST)}\n(?:{_LINE})?", re.DOTALL
)


def introduce(study: Study, plan: Plan) -> None:
    """Write the note of the study: where its run folders are."""
    _put(
        study,
        None,
        f"Sweep folder:\n\n{_verbatim(str(plan.folder))}\n\n"
        "A trial's run folder is the one in it that its user attribute `folder` names.\n",
    )


def tell_of(
    study: Study,
    plan: Plan,
    trial: FrozenTrial,
    run: Path,
    values: Sequence[float],
    error: str | None,
) -> None:
    """Write the note of a trial that is over; called before the study is told.

    ``run`` is the run folder of its last run, ``values`` are its objectives' where it has any.
    """
    _put(study, trial_id(trial), "\n\n".join(_paragraphs(plan, trial, run, values, error)) + "\n")


def tell_of_pause(study: Study, plan: Plan, trial: FrozenTrial, run: Path) -> None:
    """Write the note of a trial that is paused, once; may be called at each of its pauses.

    ``run`` is the run folder of the run that was paused. The note says nothing that changes, and
    gives way to that of the trial's end.
    """
    parts = (
        f"{_PAUSED_FIRST} names an epoch: other trials promise more for now. It goes on from that "
        "epoch when its turn comes, or with a larger `hydra.sweeper.pruner.budget`, a larger "
        "`hydra.sweeper.n_trials` or more time.",
        format_params(plan.params(trial)),
        "Run folder:",
        _verbatim(str(plan.place(trial))),
        "To train it to its end as a run of its own:",
        _verbatim(
            _in_lines([*_program(), path_word(FROM, str(run))]) if plan.is_ours else _again(run)
        ),
        _PAUSED_LAST,
    )
    _put(study, trial_id(trial), "\n\n".join(parts) + "\n", is_once=True)


def _paragraphs(
    plan: Plan, trial: FrozenTrial, run: Path, values: Sequence[float], error: str | None
) -> Iterator[str]:
    folder = plan.place(trial)
    result = plan.run(folder).read_result() or {}  # another app's runs may have none
    status = result.get("status", "completed" if values else "failed" if error else "pruned")
    reached = values or [trial.intermediate_values[step] for step in _last_step(trial)]
    metrics = zip(plan.objectives, reached, strict=False)
    outcome = [f"**{status}**", *(f"{name} {format_value(value)}" for name, value in metrics)]
    if "epochs" in result:
        outcome.append(f"epochs {result['epochs']}")
    yield ", ".join(outcome)
    if error is not None:
        yield _verbatim(error)
    yield format_params(plan.params(trial))
    yield "Run folder:"
    yield _verbatim(str(folder))
    hydra = run / HYDRA
    if not (hydra / OVERRIDES).exists():  # its config could not be composed
        return
    words = yaml.load((hydra / OVERRIDES).read_text(encoding="utf-8"), Loader=_LOADER)
    yield "Overrides:"
    yield _verbatim(_in_lines(words))
    yield "The same run again:"
    # By its config: a search that was typed would be one again, and may set more than its space.
    yield _verbatim(_again(run))


def _again(run: Path) -> str:
    path = str(run / HYDRA)
    return _in_lines([*_program(), "--config-name", "config", "--config-path", path])


def _last_step(trial: FrozenTrial) -> list[int]:
    return [] if trial.last_step is None else [trial.last_step]


def _verbatim(text: str) -> str:
    """As Markdown that is shown as it is."""
    return indent(text, "    ")


def _in_lines(words: list[str]) -> str:
    """A command in lines that end in a backslash, since the dashboard wraps none."""
    lines: list[str] = []
    for word in map(shlex.quote, words):
        if lines and len(lines[-1]) + len(word) < _WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(f"  {word}" if lines else word)
    return " \\\n".join(lines)


def _program() -> list[str]:
    """The words that start the sweep's app."""
    spec = sys.modules["__main__"].__spec__  # None for a script
    return (
        ["python", sys.argv[0]]
        if spec is None
        else ["python", "-m", spec.name.removesuffix(".__main__")]
    )


def _put(study: Study, trial_key: int | None, body: str, *, is_once: bool = False) -> None:
    """Write a note once, above what a person may have written there, in place of that of a pause.

    ``is_once``: it is that of a pause, and stays as it is wherever a person has moved it.
    """
    storage, study_key = storage_of(study), study_id(study)
    attributes = storage.get_study_system_attrs(study_key)
    version, prefix = _keys(trial_key)
    pieces = list(_pieces(attributes, prefix))
    there = "".join(pieces)
    is_there = _OF_A_PAUSE.search(there) is not None if is_once else there.startswith(body)
    if is_there and version in attributes:
        return
    before = there if is_once else _OF_A_PAUSE.sub("", there, count=1)
    whole = there if is_there else _LINE.join(filter(None, (body, before)))
    # The text first: a version without a text is a note that the dashboard cannot show.
    for number in range(max(len(pieces), -(-len(whole) // _LONGEST))):
        piece = whole[number * _LONGEST : (number + 1) * _LONGEST]
        storage.set_study_system_attr(study_key, f"{prefix}{number}", piece)
    storage.set_study_system_attr(study_key, version, attributes.get(version, 0) + 1)


def _keys(trial_key: int | None) -> tuple[str, str]:
    """The attribute of a note's version, and the prefix of those of its text."""
    owner = "dashboard:" if trial_key is None else f"dashboard:{trial_key}:"
    return f"{owner}note_ver", f"{owner}note_str:"


def _pieces(attributes: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for number in count():
        if f"{prefix}{number}" not in attributes:
            return
        yield attributes[f"{prefix}{number}"]
