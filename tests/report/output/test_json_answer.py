"""report.json: what its schema says, whatever lies in the folders."""

import json
import math
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.build import write_files
from cnnsweep.report.output.json_answer import as_json, as_plain, report_json
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.options import Question
from cnnsweep.report.study.study_stats import Studies
from tests.command import cnnsweep, succeeded
from tests.report.made_runs import Job, make_grid, make_run
from tests.report.made_searches import make_comparison
from tests.report.made_sweeps import make_sweep
from tests.report.nasty_text import NASTY

SCHEMA = json.loads((files("cnnsweep.report.output") / "report.schema.json").read_text("utf-8"))
SEARCHES = [[0.9, 0.91, 0.92], [0.93, 0.94, 0.92], [0.89, 0.9, 0.91]]
VALIDATOR = Draft202012Validator(SCHEMA)


def _read(text: str) -> dict[str, Any]:
    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is no JSON")

    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    VALIDATOR.validate(found)
    return found


def test_the_schema_is_one_and_refuses_what_it_does_not_name(tmp_path: Path) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    _search(tmp_path / "a")
    make_grid(tmp_path / "b", ["simple", "lenet"], range(3), images=60)
    found = as_json(answer(gather([tmp_path]), Question()))
    for place in (found, found["groups"][0], found["pairs"][0], found["winners"][0]):
        place["more"] = 1
        assert not VALIDATOR.is_valid(found)
        del place["more"]
    assert VALIDATOR.is_valid(found)
    for name in SCHEMA["required"]:
        assert not VALIDATOR.is_valid({k: v for k, v in found.items() if k != name})


def test_searches_chances_and_equivalence_are_in_groups_and_pairs(tmp_path: Path) -> None:
    make_comparison(tmp_path, {"simple": SEARCHES, "resnet": SEARCHES})
    found = _read(report_json(answer(gather([tmp_path]), Question(margin=50))))
    assert [group["searches"]["count"] for group in found["groups"]] == [3, 3]
    assert all(group["searches"]["sd_of_seeds"] > 0 for group in found["groups"])
    (pair,) = found["pairs"]
    assert pair["equivalent"]
    assert pair["probability"]["low"] < 0.5 < pair["probability"]["high"]
    (pair,) = _read(report_json(answer(gather([tmp_path]), Question())))["pairs"]
    assert pair["equivalent"] is pair["p_equivalent"] is None


def _one(top: Path) -> None:
    make_run(top / "0", Job())


def _unfinished(top: Path) -> None:
    make_run(top / "0", Job(status="unfinished"))
    make_run(top / "1", Job(status="failed", error="boom", epochs=0))


def _grid(top: Path) -> None:
    make_grid(top, ["simple", "lenet"], range(4), images=60)
    make_run(top / "mixed", Job("lenet", changes={"optim.lr": 0.1}))
    make_run(top / "chance", Job("resnet", learned=False))


def _two_data_sets(top: Path) -> None:
    make_grid(top / "a", ["simple"], range(2), data="digits")
    make_grid(top / "b", ["simple", "lenet"], range(2), data="mnist", fingerprint="abc")


def _search(top: Path) -> None:
    make_sweep(top / "search", trials=12, confirm=3, seeds=2)


def _other_app(top: Path) -> None:
    run = top / "0"
    (run / ".hydra").mkdir(parents=True)
    (run / ".hydra" / "config.yaml").write_text("lr: .nan\nname: x\n")
    (run / "metrics.json").write_text('{"test/acc": NaN, "loss": Infinity, "acc": 0.5}')


KINDS = [_one, _unfinished, _grid, _two_data_sets, _search, _other_app]


@pytest.mark.parametrize("make", KINDS)
def test_reports_of_all_kinds_of_folders_are_as_the_schema_says(make: Any, tmp_path: Path) -> None:
    make(tmp_path)
    found = answer(gather([tmp_path]), Question())
    told = _read(report_json(found))
    assert told["runs"] == len(found.runs) == sum(told["counts"].values())
    assert [group["mean"] for group in told["groups"]] == [
        pytest.approx(group.mean) for group in found.grouping.groups
    ]
    for pair, known in zip(told["pairs"], found.comparison.pairs, strict=True):
        low, high = pair["interval"] or (None, None)
        assert pair["decided"] is known.decided
        assert low is None or low <= pair["difference"] <= high


def test_nothing_in_a_folder_is_more_than_text(tmp_path: Path) -> None:
    for number, text in enumerate(NASTY):
        run = make_run(tmp_path / str(number), Job("lenet", status="failed", error=text))
        config = (run / ".hydra" / "hydra.yaml").read_text()
        (run / ".hydra" / "hydra.yaml").write_text(
            config.replace("model: lenet", f"model: {json.dumps(text)}")
        )
    make_run(tmp_path / "good", Job()).rename(tmp_path / "bad\udcff\nname")
    text = report_json(answer(gather([tmp_path]), Question()))
    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)
    told = _read(text)
    assert told["groups"][0]["folders"][0].endswith("bad\\udcff\\nname")


def test_the_winner_is_there_with_all_its_settings(tmp_path: Path) -> None:
    make_sweep(tmp_path / "search", trials=12, confirm=3)
    (winner,) = _read(report_json(answer(gather([tmp_path]), Question())))["winners"]
    assert {*winner["settings"]} == {"optim.lr", "optim.momentum", "data.batch_size"}
    assert winner["config"]["optim.momentum"] == winner["settings"]["optim.momentum"]
    assert winner["config"]["model.kernel_size"] == 5
    assert len(winner["confirmed"]) == 3


@dataclass(frozen=True)
class _Inner:
    curve: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    low: float
    run: Run


def test_a_new_part_of_the_answer_is_a_finding_by_itself(tmp_path: Path) -> None:
    make_grid(tmp_path, ["simple"], range(2))
    known = answer(gather([tmp_path]), Question())

    @dataclass(kw_only=True)
    class More(Answer):
        extra: _Inner | None = None
        block: Block | None = None

    inner = _Inner(np.array([1.0, np.nan, np.inf]), -math.inf, known.runs[0])
    parts = {one.name: getattr(known, one.name) for one in fields(known)}
    told = _read(report_json(More(**parts, extra=inner, block=Block("title", ["x"]))))
    assert told["findings"]["extra"] == {
        "curve": [1.0, None, None], "low": None, "run": as_plain(tmp_path / "0"),
    }  # fmt: skip
    assert told["findings"]["block"]["sentences"] == ["x"]


def test_alone_it_goes_to_standard_output_and_nothing_else_does(tmp_path: Path) -> None:
    make_grid(tmp_path / "multirun" / "grid", ["simple", "lenet"], range(3))
    words = ("multirun", "--format", "json")
    told = _read(succeeded(cnnsweep(*words, cwd=tmp_path, module="cnnsweep.report")))
    assert told["roots"] == ["multirun"]
    assert told["groups"][0]["folders"][0] == "multirun/grid/0"
    assert not (tmp_path / "multirun" / "report").exists()
    done = cnnsweep(*words, "--out", "kept", cwd=tmp_path, module="cnnsweep.report")
    assert _read(succeeded(done)) == _read((tmp_path / "kept" / "report.json").read_text())


def test_with_other_formats_it_is_a_file_of_the_report(tmp_path: Path) -> None:
    make_grid(tmp_path, ["simple"], range(3))
    found = answer(gather([tmp_path]), Question())
    write_files(found, tmp_path / "report", ("csv", "json"), Studies([]))
    assert _read((tmp_path / "report" / "report.json").read_text())["runs"] == 3
    assert answer(gather([tmp_path]), Question()).runs == found.runs  # the report is no run
