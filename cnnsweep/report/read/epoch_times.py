"""When the epochs of a run ended, by the time stamps of its log."""

import re
from datetime import datetime
from pathlib import Path

from cnnsweep.folders.run_folder import LOG
from cnnsweep.report.read.safe_io import Damaged, read_text

_LINE = re.compile(
    r"^\[([\d-]{10} [\d:]{8},\d{3})\]\[[^\]]*\]\[INFO\] (?:- )?epoch (\d{1,9}), ", re.M
)


def epoch_ends(folder: Path) -> dict[int, datetime]:
    """The end of each epoch by its number; {} without a log of ours. Links are not followed.

    Of an epoch that was trained again after a death the last one counts.
    """
    log = folder / LOG
    if log.is_symlink() or not log.is_file():
        return {}
    try:
        found = _LINE.findall(read_text(log))
    except Damaged:
        return {}
    ends = {}
    for stamp, epoch in found:
        try:
            ends[int(epoch)] = datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S,%f")
        except ValueError:  # no such day
            continue
    return ends
