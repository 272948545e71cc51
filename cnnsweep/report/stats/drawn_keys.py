"""The settings in which runs differ, with those that searches drew beside a group's options."""

from collections.abc import Collection, Iterable, Sequence

from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.spaces import read_launch
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.group_keys import setting_keys
from cnnsweep.report.stats.table import differing


def varied_keys(
    sweeps: Iterable[Sweep], runs: Sequence[Run], besides: Collection[str] = ()
) -> list[str]:
    """Like ``setting_keys``, and what searches drew below a group that differs too.

    Where ``optim`` differs, ``optim.lr`` does by its options alone; a search that drew it makes it
    a setting of its own. What searches drew stands first, in the order of their spaces.
    """
    found = setting_keys(runs, besides)
    launches = (read_launch(sweep.folder) for sweep in sweeps if sweep.searched)
    keys = dict.fromkeys(k for launch in launches if launch is not None for k in launch.keys)
    drawn = {key: number for number, key in enumerate(keys)}
    groups = {*found, *besides}
    below = differing(runs, lambda key: key in drawn and key.partition(".")[0] in groups)
    every = [*found, *(key for key in below if key not in groups)]
    return sorted(every, key=lambda key: drawn.get(key, len(drawn)))
