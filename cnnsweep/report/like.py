"""What must be equal for figures to be comparable, and what else runs differ in."""

from collections.abc import Iterable, Sequence

from cnnsweep.report.run import Run
from cnnsweep.report.safe_files import Scalar
from cnnsweep.report.table import differing

_EPOCHS = ("epochs", "max_epochs", "num_epochs", "trainer.max_epochs")
_DATA = ("data", "dataset", "datamodule")
_SAME_IMAGES = (  # keys of the data that change neither which images nor how many
    "root", "download", "batch_size", "eval_batch_size", "mean", "std", "data_dir", "path",
    "num_workers", "pin_memory", "_target_",
)  # fmt: skip
_NO_SETTING = (
    "seed", "device", "threads", "logger", "summary", "keep", "resume", "pictures", "test",
    "experiment", "search", "objective",
)  # fmt: skip
Setting = tuple[tuple[str, Scalar], ...]


def is_data(key: str) -> bool:
    """Whether a config key says which images a run saw."""
    group, _, rest = key.partition(".")
    return group in _DATA and rest.rpartition(".")[2] not in _SAME_IMAGES


def like_keys(runs: Sequence[Run], by: Iterable[str]) -> list[str]:
    """The keys of data, split and epochs that differ: only equal values are compared."""
    left_out = {*by}

    def wanted(key: str) -> bool:
        return (is_data(key) or key in _EPOCHS) and key not in left_out

    return [k for k in differing(runs, wanted) if len({run.config.get(k) for run in runs}) > 1]


def setting_keys(runs: Sequence[Run], besides: Iterable[str]) -> list[str]:
    """The hyperparameters in which runs differ, seeds and data aside.

    Where a group's choice differs (``model``), its own keys (``model.channels``) differ with it
    and are left out.
    """
    left_out = {*besides, *_NO_SETTING}

    def wanted(key: str) -> bool:
        place = key.rpartition(".")[2] in _SAME_IMAGES[:2] or key.startswith("logger.")
        return key not in {*_NO_SETTING} and not place

    found = [k for k in differing(runs, wanted) if len({run.config.get(k) for run in runs}) > 1]
    own = [k for k in found if "." not in k or k.partition(".")[0] not in found]
    return [key for key in own if key not in left_out]


def setting(run: Run, keys: Iterable[str]) -> Setting:
    """The run's values of some config keys."""
    return tuple((key, run.config.get(key)) for key in keys)
