"""A folder's name is drawn once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.loggers.base import identity


def test_all_that_ask_at_once_get_the_same_name(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        names = set(pool.map(identity, [tmp_path] * 64))
    assert names == {RunFolder(tmp_path).tracker_id.read_text()}
    assert identity(tmp_path) in names
