"""The config keys that tell groups of runs apart: those of data, split and epochs, and settings."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from cnnsweep.report.read.run_record import FINGERPRINT, Run
from cnnsweep.report.read.safe_io import Scalar
from cnnsweep.report.stats.table import differing

_EPOCHS = ("epochs", "max_epochs", "num_epochs", "trainer.max_epochs")
_DATA = ("data", "dataset", "datamodule")
_SAME_IMAGES = (  # keys of the data that change neither which images nor how many
    "root", "download", "batch_size", "eval_batch_size", "mean", "std", "data_dir", "path",
    "num_workers", "pin_memory", "_target_",
)  # fmt: skip
_NO_SETTING = (
    "seed", "device", "threads", "logger", "summary", "keep", "resume", "pictures", "test",
    "experiment", "search", "objective", "from",
)  # fmt: skip


def is_data(key: str) -> bool:
    """Whether a config key says which images a run saw."""
    group, _, rest = key.partition(".")
    return group in _DATA and rest.rpartition(".")[2] not in _SAME_IMAGES


def like_keys(runs: Sequence[Run], by: Collection[str]) -> list[str]:
    """The keys of data, split and epochs that differ: only equal values are compared.

    The fingerprint of the data is one of them where the others do not tell all data apart.
    """
    like = _varied(runs, lambda key: (is_data(key) or key in _EPOCHS) and key not in by)
    if FINGERPRINT not in like:
        return like
    others = [key for key in [*like, *by] if is_data(key) and key != FINGERPRINT]
    told: dict[tuple[Scalar, ...], set[Scalar]] = defaultdict(set)
    for run in runs:
        told[tuple(run.config.get(key) for key in others)].add(run.config.get(FINGERPRINT))
    return [key for key in like if key != FINGERPRINT or any(len(s) > 1 for s in told.values())]


def setting_keys(runs: Sequence[Run], besides: Collection[str]) -> list[str]:
    """The hyperparameters in which runs differ, seeds and data aside.

    Where a group's choice differs (``model``), its own keys (``model.channels``) differ with it
    and are left out.
    """

    def wanted(key: str) -> bool:
        place = key.rpartition(".")[2] in _SAME_IMAGES[:2] or key.startswith("logger.")
        place = place or key == FINGERPRINT
        return key not in _NO_SETTING and not place

    found = _varied(runs, wanted)
    own = [k for k in found if "." not in k or k.partition(".")[0] not in found]
    return [key for key in own if key not in besides]


def _varied(runs: Sequence[Run], wanted: Callable[[str], bool]) -> list[str]:
    return [k for k in differing(runs, wanted) if len({run.config.get(k) for run in runs}) > 1]


Unit = tuple[object, tuple[tuple[str, Scalar], ...]]  # seed, what else differs in the group


def setting_of(run: Run) -> frozenset[tuple[str, Scalar]]:
    """What a run has in common with those that differ from it in nothing but their seed."""
    return frozenset(
        (key, value)
        for key, value in run.config.items()
        if key not in _NO_SETTING
        and not key.startswith("logger.")
        and key.rpartition(".")[2] not in _SAME_IMAGES[:2]
    )
