"""A second call reads only what has changed, and says the same."""

import json
import os
from pathlib import Path

import pytest

from cnnsweep.report.read.load_runs import FILE, gather
from cnnsweep.report.read.run_record import Run
from tests.report.made_runs import Job, make_run


def _values(folder: Path, cache: Path | None) -> list[tuple[object, ...]]:
    def told(run: Run) -> tuple[object, ...]:
        return (run.folder, run.as_plain(), run.role, run.sweep)

    return [told(run) for run in gather([folder], cache).runs]


def test_a_second_call_gives_the_same_runs(mixed: Path, tmp_path: Path) -> None:
    cache = tmp_path / FILE
    fresh = _values(mixed, None)
    assert _values(mixed, cache) == fresh
    written = cache.read_bytes()
    assert _values(mixed, cache) == fresh
    assert cache.read_bytes() == written


def test_a_file_is_read_again_when_its_size_or_time_has_changed(tmp_path: Path) -> None:
    cache = tmp_path / FILE
    run = make_run(tmp_path / "runs" / "0", Job(seed=3))
    path = run / "result.json"
    assert gather([tmp_path / "runs"], cache).runs[0].value("seed") == 3
    stamp = path.stat().st_mtime_ns
    path.write_text(path.read_text().replace('"seed": 3', '"seed": 4'))
    os.utime(path, ns=(stamp, stamp))
    assert gather([tmp_path / "runs"], cache).runs[0].value("seed") == 3  # looks the same
    os.utime(path, ns=(stamp, stamp + 1))
    assert gather([tmp_path / "runs"], cache).runs[0].value("seed") == 4


def test_a_run_that_ends_between_two_calls_is_seen(tmp_path: Path) -> None:
    cache = tmp_path / FILE
    done = make_run(tmp_path / "runs" / "0", Job())
    half = make_run(tmp_path / "runs" / "1", Job(status="unfinished"))
    assert gather([tmp_path / "runs"], cache).counts() == {"completed": 1, "unfinished": 1}
    (half / "result.json").write_text((done / "result.json").read_text())
    assert gather([tmp_path / "runs"], cache).counts() == {"completed": 2}


@pytest.mark.parametrize("damage", ["", "{", "[]", '"other version"\n', None])
def test_a_damaged_cache_is_no_cache(mixed: Path, tmp_path: Path, damage: str | None) -> None:
    cache = tmp_path / FILE
    expected = _values(mixed, cache)
    lines = cache.read_text().splitlines()
    if damage is None:
        entry = json.loads(lines[1])
        entry[2]["metrics"] = 3
        cache.write_text("\n".join([lines[0], json.dumps(entry), *lines[2:]]))
    else:
        cache.write_text(damage)
    assert _values(mixed, cache) == expected
