"""The config keys that tell groups of runs apart: those of data, split and epochs, and settings."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from pathlib import Path

from cnnsweep.dotted_keys import is_below
from cnnsweep.errors import and_more
from cnnsweep.folders.run_folder import UNCOMPARED
from cnnsweep.folders.sweep_folder import is_repeated_search
from cnnsweep.report.read.run_record import FINGERPRINT, TUNED, UNKNOWN, Run
from cnnsweep.report.read.safe_io import Scalar
from cnnsweep.report.stats.table import differing

_NAMED_DATA = 12  # data sets whose place is told; headings have their fingerprints alone
_EPOCHS = ("epochs", "max_epochs", "num_epochs", "trainer.max_epochs")
_DATA = ("data", "dataset", "datamodule")
_SAME_IMAGES = (  # keys of the data that change neither which images nor how many
    "root", "download", "batch_size", "eval_batch_size", "mean", "std", "data_dir", "path",
    "num_workers", "pin_memory", "_target_",
)  # fmt: skip
_NO_SETTING = ("seed", "device", "threads", "pictures", "test", "experiment", "search", "objective")

Value = Callable[[Run, str], Scalar]


def is_data(key: str) -> bool:
    """Whether a config key says which images a run saw."""
    group, _, rest = key.partition(".")
    return group in _DATA and rest.rpartition(".")[2] not in _SAME_IMAGES


def like_keys(runs: Sequence[Run], by: Collection[str]) -> list[str]:
    """The keys of data, split and epochs that differ: only equal values are compared.

    The fingerprint of the data is one of them where the others do not tell all data apart.
    """
    like = _varied(
        runs, lambda key: (is_data(key) or key in _EPOCHS) and key not in by, value=_masked
    )
    if FINGERPRINT not in like:
        return like
    others = [key for key in [*like, *by] if is_data(key) and key != FINGERPRINT]
    told: dict[tuple[Scalar, ...], set[Scalar]] = defaultdict(set)
    for run in runs:
        told[tuple(_masked(run, key) for key in others)].add(run.config.get(FINGERPRINT))
    return [key for key in like if key != FINGERPRINT or any(len(s) > 1 for s in told.values())]


def mark_tuned(runs: Iterable[Run], asked: Collection[str] = ()) -> None:
    """Tell the confirmation runs of several searches of one choice which settings were tuned.

    Those are the settings that differ anywhere in these searches: each search chose its own. Keys
    that were ``asked`` for keep their values: groups by them are wanted.
    """
    choices: dict[Path, list[Run]] = defaultdict(list)
    for run in runs:
        if run.sweep is not None and is_repeated_search(run.sweep):
            run.tuned = frozenset()
            choices[run.sweep.parent].append(run)
    for members in choices.values():
        tuned = frozenset(_varied(members, _is_setting)).difference(asked)
        for run in members:
            run.tuned = tuned if run.search else frozenset()


def setting_keys(runs: Sequence[Run], besides: Collection[str]) -> list[str]:
    """The hyperparameters in which runs differ, seeds and data aside.

    Where a group's choice differs (``model``), those of its own keys (``model.channels``) that
    differ with it alone are left out.
    """
    return _besides(runs, besides, _raw)


def mixed_keys(runs: Sequence[Run], besides: Collection[str]) -> list[str]:
    """Like ``setting_keys``, but what several searches tuned is none of the differences."""
    return _besides(runs, besides, _masked)


def _besides(runs: Sequence[Run], besides: Collection[str], value: Value) -> list[str]:
    found = _varied(runs, _is_setting, value)
    own = [key for key in found if key not in besides]
    return [key for key in own if not _follows(key, found, runs, value)]


def _follows(key: str, found: Collection[str], runs: Sequence[Run], value: Value) -> bool:
    """Whether a key has one value for each option of its group, which differs."""
    group, dot, _ = key.partition(".")
    if not dot or group not in found:
        return False
    values: dict[Scalar, set[Scalar]] = defaultdict(set)
    for run in runs:
        values[value(run, group)].add(value(run, key))
    return all(len(of_option) == 1 for of_option in values.values())


@cache
def _is_setting(key: str) -> bool:
    is_place = key.rpartition(".")[2] in _SAME_IMAGES[:2]  # of another app's data too
    return not (key in (*_NO_SETTING, FINGERPRINT) or is_place or is_below(key, UNCOMPARED))


def setting_of(run: Run) -> frozenset[tuple[str, Scalar]]:
    """What a run has in common with those that differ from it in nothing but their seed."""
    kept = (k for k in run.config if _is_setting(k) or k == FINGERPRINT)
    return frozenset((key, run.configured(key)) for key in kept)


def _raw(run: Run, key: str) -> Scalar:
    return run.configured(key)


def _masked(run: Run, key: str) -> Scalar:
    return TUNED if key in run.tuned else run.configured(key)


def _varied(
    runs: Sequence[Run],
    wanted: Callable[[str], bool],
    value: Value = _raw,
) -> list[str]:
    return [k for k in differing(runs, wanted) if len({value(run, k) for run in runs}) > 1]


def note_on_data(runs: list[Run]) -> str:
    """Which data there are, and where they lay."""
    roots: dict[str, dict[str, None]] = {}
    for run in runs:
        places = roots.setdefault(str(run.config.get(FINGERPRINT)), {})
        places[str(run.config.get("data.root") or run.config.get("data"))] = None
    known = [f"{data} ({', '.join([*where][:3])})" for data, where in roots.items()]
    named = and_more(known, _NAMED_DATA)
    told = f"Warning: these runs have {len(known)} different data sets: {named}"
    old = any(data.startswith(UNKNOWN) for data in roots)
    unknown = f"; {UNKNOWN}: older code did not record which" if old else ""
    return f"{told}{unknown}. Runs of one are neither averaged nor compared with another's."
