"""The study knows on what data its trials were trained, and takes in none with other data."""

import json
from pathlib import Path

import pytest

from cnnsweep.sweep.spec.messages import Finished
from cnnsweep.sweep.study.same_data import DATA
from tests.sweep.study.in_process import Parts, make

FINGERPRINT = {"classes": ["a", "b"], "train": 8, "val": None, "test": 2, "shape": [1, 4, 4]}


def finish(parts: Parts, hash: str | None) -> None:
    """The running trial ends, trained on the data with this hash; None: older code says nothing."""
    (job,) = parts.pool.jobs.values()
    parts.write_result(job, 0.5)
    path = parts.folder / job.folder / "result.json"
    result = json.loads(path.read_text())
    result["data"] = None if hash is None else FINGERPRINT | {"hash": hash}
    path.write_text(json.dumps(result))
    parts.send(Finished("completed", 0.5))


def recorded(parts: Parts) -> dict[str, str]:
    known = parts.search.study.user_attrs.get(DATA) or {}
    return {record["folder"]: record["fingerprint"]["hash"] for record in known.values()}


def test_the_first_trials_data_are_the_searchs(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=3)
    parts.step()
    for _ in range(3):
        finish(parts, "one")
    assert parts.states() == ["COMPLETE"] * 3
    assert recorded(parts) == {"0": "one"}


def test_a_trial_whose_data_changed_meanwhile_fails_and_says_why(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=3)
    parts.step()
    for hash in ("one", "other", "one"):
        finish(parts, hash)
    assert parts.states() == ["COMPLETE", "FAIL", "COMPLETE"]
    assert parts.status("1") == "failed"
    assert any("its data are not those of 0: other bytes" in line for line in parts.said)


def test_trials_that_say_nothing_of_their_data_count_as_before(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=2)
    parts.step()
    finish(parts, None)
    finish(parts, "one")
    assert parts.states() == ["COMPLETE"] * 2
    assert recorded(parts) == {"1": "one"}


@pytest.mark.parametrize("call", range(12))
@pytest.mark.parametrize("after", [False, True])
def test_they_are_recorded_whenever_the_storage_goes_away(
    tmp_path: Path, call: int, after: bool
) -> None:
    parts = make(tmp_path, n_trials=2)
    parts.step()
    parts.storage.after = after
    parts.storage.failing = range(parts.storage.calls + call, parts.storage.calls + call + 1)
    finish(parts, "one")
    parts.step(4)
    assert recorded(parts) == {"0": "one"}
