"""Which searches have a tuning curve, of which trials, and what is said of the others."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import yaml

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.charts.all_charts import every_chart
from cnnsweep.report.charts.chart_model import XY
from cnnsweep.report.output.blocks import answer_blocks
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run

RANDOM: dict[str, Any] = {
    "n_trials": 6,
    "sampler": {"_target_": "optuna.samplers.RandomSampler", "seed": None},
    "pruner": {"_target_": "optuna.pruners.NopPruner"},
}


@dataclass
class Search:
    """Random trials of one model, of which the journal says which were given."""

    model: str = "lenet"
    trials: int = 8
    given: tuple[int, ...] = (0,)
    statuses: dict[int, str] = field(default_factory=dict)
    sweeper: dict[str, Any] = field(default_factory=lambda: dict(RANDOM))
    seeds: int = 1
    objective: str = "val_accuracy"

    def make(self, folder: Path, *, journal: bool = True, config: bool = True) -> Path:
        """Its folder."""
        rng = random.Random(f"{folder.name} {self.model}")
        folder.mkdir(parents=True)
        if config:
            (folder / "multirun.yaml").write_text(yaml.safe_dump(hydra(self.sweeper)))
        lines: list[dict[str, Any]] = []
        for number in range(self.trials):
            given = number in self.given
            own: dict[str, Any] = {"system_attrs": {"fixed_params": {}}} if given else {}
            lines += [{"op_code": 4, "study_id": 0} | own, {"op_code": 5, "trial_id": number}]
            changes = {"optim.lr": 10 ** rng.uniform(-4, 0), "objective": self.objective}
            status = self.statuses.get(number, "completed")
            job = Job(self.model, test=False, mode="MULTIRUN", changes=changes, status=status)
            for seed in range(self.seeds):
                job.seed, job.accuracy = seed, rng.uniform(0.1, 0.99)
                place = folder / str(number)
                make_run(place if self.seeds == 1 else place / f"seed_{seed}", job)
        if journal:
            text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
            (folder / "study.journal").write_text(text)
        (folder / "optimization_results.yaml").write_text("best_params: {}\n")
        return folder


def hydra(sweeper: dict[str, Any]) -> dict[str, Any]:
    """multirun.yaml of a sweep."""
    return {"hydra": {"sweeper": sweeper}}


def _told(folder: Path, **question: Any) -> Answer:
    return answer(gather([folder]), Question(**question))


def test_given_trials_are_left_out_whatever_their_number(tmp_path: Path) -> None:
    Search(trials=9, given=(0, 4)).make(tmp_path / "lenet")
    found = _told(tmp_path)
    (curve,) = found.tuning.curves
    drawn = [r for r in found.gathered.sweeps[0].runs if r.trial not in (0, 4)]
    assert sorted(curve.trials.values) == sorted(r.metric("objective") for r in drawn)  # type: ignore[type-var]
    assert curve.trials.mean_seconds == pytest.approx(
        fmean(r.metric("train_seconds") or 0.0 for r in drawn)
    )
    assert curve.label == "lenet"
    assert found.tuning.reasons == []


@pytest.mark.parametrize(("default_first", "drawn"), [(None, 7), (True, 7), (False, 8)])
def test_without_a_journal_the_settings_tell_whether_the_first_was_given(
    tmp_path: Path, default_first: bool | None, drawn: int
) -> None:
    own = {} if default_first is None else {"default_first": default_first}
    Search(sweeper=RANDOM | own).make(tmp_path / "lenet", journal=False)
    (curve,) = _told(tmp_path).tuning.curves
    assert len(curve.trials.values) == drawn


def test_several_searches_of_one_choice_are_one_curve_and_of_two_choices_two(
    tmp_path: Path,
) -> None:
    (tmp_path / "multirun.yaml").write_text(yaml.safe_dump(hydra(RANDOM)))
    for model in ("lenet", "simple"):
        for number in range(3):
            search = Search(model, trials=5)
            search.make(tmp_path / model / f"search_{number}", config=False)
    found = _told(tmp_path)
    assert [(c.label, len(c.trials.values), c.searches) for c in found.tuning.curves] == [
        ("lenet", 12, 3), ("simple", 12, 3),
    ]  # fmt: skip
    (sentence,) = next(b for b in answer_blocks(found) if b.title == "Tuning curves").sentences
    assert sentence.startswith("Expected best val_accuracy of 4 random trials: ")


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (
            Search(sweeper=RANDOM | {"sampler": {"_target_": "optuna.samplers.TPESampler"}}),
            "chosen by TPE; search=tuning_curve draws",
        ),
        (
            Search(sweeper=RANDOM | {"pruner": {"_target_": "optuna.pruners.MedianPruner"}}),
            "ended early or paused by Median",
        ),
        (Search(sweeper={"n_trials": 3}), "how its trials were chosen is not recorded"),
        (Search(statuses={3: "unfinished"}), "1 of 7 runs of its trials are not over"),
        (Search(statuses={3: "interrupted"}), "1 of 7 runs of its trials are not over"),
        (Search(statuses={3: "pruned"}), "1 of 7 runs of its trials ended early"),
        (Search(trials=3), "fewer than 3 trials were drawn"),
        (Search(objective="val_loss", statuses={2: "failed"}), "no worst value"),
    ],
)
def test_a_search_of_another_kind_has_a_line_that_says_why(
    tmp_path: Path, search: Search, words: str
) -> None:
    search.make(tmp_path / "sweep")
    found = _told(tmp_path)
    assert found.tuning.curves == []
    (reason,) = found.tuning.reasons
    assert reason.startswith("No tuning curve with a band for lenet: ")
    assert words in reason
    assert reason in next(b for b in answer_blocks(found) if b.title == "Tuning curves").sentences


def test_a_failed_trial_counts_as_nothing_gained(tmp_path: Path) -> None:
    Search(statuses={3: "failed"}).make(tmp_path / "lenet")
    (curve,) = _told(tmp_path).tuning.curves
    assert (len(curve.trials.values), curve.failed, min(curve.trials.values)) == (7, 1, 0.0)


def test_a_trial_of_several_seeds_is_their_mean_and_costs_all_of_them(tmp_path: Path) -> None:
    Search(seeds=2, trials=6).make(tmp_path / "lenet")
    found = _told(tmp_path)
    (curve,) = found.tuning.curves
    runs = [r for r in found.gathered.sweeps[0].runs if r.trial == 1]
    assert len(curve.trials.values) == 5
    assert curve.trials.values[0] == pytest.approx(fmean(r.metric("objective") or 0 for r in runs))
    assert curve.trials.seconds[0] == pytest.approx(
        sum(r.metric("train_seconds") or 0 for r in runs)
    )


def test_a_selection_of_runs_does_not_flatter_a_curve(tmp_path: Path) -> None:
    Search().make(tmp_path / "lenet")
    whole, chosen = _told(tmp_path), _told(tmp_path, where=["val_accuracy>=0.6"])
    assert len(chosen.runs) < len(whole.runs)
    assert chosen.tuning.curves[0].trials == whole.tuning.curves[0].trials


def test_a_loss_has_the_median_only_and_no_end_that_nothing_bounds(tmp_path: Path) -> None:
    Search(objective="val_loss").make(tmp_path / "lenet")
    found = _told(tmp_path)
    (curve,) = found.tuning.curves
    assert (curve.kind, curve.expected) == ("median", None)
    block = next(b for b in answer_blocks(found) if "best after" in b.title)
    assert {row[3] for row in block.rows} == {"–"}
    assert not any("inf" in cell or "nan" in cell for row in block.rows for cell in row)
    charts = {c.slug: c for s in every_chart(found, []) for c in s.charts}
    assert {"tuning-trials", "tuning-seconds"} <= {*charts}


def test_charts_and_table_tell_the_same_curve(tmp_path: Path) -> None:
    Search(trials=17).make(tmp_path / "lenet")
    found = _told(tmp_path)
    block = next(b for b in answer_blocks(found) if "best after" in b.title)
    assert [row[1] for row in block.rows] == ["1", "2", "4", "8", "16"]
    chart = {c.slug: c for s in every_chart(found, []) for c in s.charts}["tuning-trials"]
    assert isinstance(chart, XY)
    (line,) = chart.series
    assert line.low is not None
    first, last = block.rows[0][3], block.rows[-1][3]
    assert first.startswith(f"{line.y[0]:.2f} % ({line.low[0]:.2f} to ")
    assert last.startswith(f"{line.y[-1]:.2f} % ({line.low[-1]:.2f} to ")
    assert line.x[0] == 1
    assert line.x[-1] == pytest.approx(16)
