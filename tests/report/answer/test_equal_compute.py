"""Who leads at which budget: searches where there are two, else groups; ties are called so."""

from pathlib import Path

import pytest
import yaml

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.charts.all_charts import every_chart
from cnnsweep.report.charts.chart_model import XY
from cnnsweep.report.output.blocks import answer_blocks
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run
from tests.report.made_sweeps import make_compare


def _told(folder: Path) -> Answer:
    return answer(gather([folder]), Question())


def _blocks(found: Answer) -> list[Block]:
    return [b for b in answer_blocks(found) if b.title.startswith("At equal training time")]


def _seconds(folder: Path, factor: float) -> None:
    """Make all epochs below a folder take so many times as long."""
    for path in folder.rglob("metrics.csv"):
        header, *rows = path.read_text().splitlines()
        place = header.split(",").index("train_seconds")
        lines = [header]
        for row in rows:
            cells = row.split(",")
            cells[place] = str(float(cells[place]) * factor)
            lines.append(",".join(cells))
        path.write_text("\n".join(lines) + "\n")


def test_searches_are_compared_up_to_what_the_shortest_spent(tmp_path: Path) -> None:
    make_compare(tmp_path, ["simple", "resnet"], trials=12)
    _seconds(tmp_path / "resnet", 10)
    found = _told(tmp_path)
    (one,) = found.equal_compute
    assert one.kind == "search"
    assert one.metric.name == "val_accuracy"
    spent = {
        sweep.folder.name: sum(
            seconds or 0.0
            for run in sweep.runs
            if run.role == "search"  # confirmation runs are not the search
            for seconds in run.metrics["train_seconds"]
        )
        for sweep in found.gathered.sweeps
    }
    assert spent["simple"] < spent["resnet"]
    assert one.race.budgets[-1] == pytest.approx(spent["simple"])
    short, detail = _blocks(found)
    (sentence,) = short.sentences
    assert sentence.startswith("Best val_accuracy so far by seconds of a whole search: up to ")
    assert sentence.endswith("what a search of simple took).")
    assert detail.is_detail
    assert [*detail.columns] == ["training", "resnet", "simple", "ahead"]
    chart = {c.slug: c for s in every_chart(found, []) for c in s.charts}["best-by-seconds"]
    assert isinstance(chart, XY)
    assert [s.name for s in chart.series] == ["resnet", "simple"]
    assert chart.series[1].y[-1] == pytest.approx(
        100 * max(v or 0.0 for s in found.gathered.sweeps if s.folder.name == "simple"
                  for r in s.runs if r.role == "search" for v in r.metrics["val_accuracy"])
    )  # fmt: skip


def test_groups_are_compared_within_a_run_where_nothing_was_searched(tmp_path: Path) -> None:
    for model, accuracy in (("lenet", 0.85), ("simple", 0.95)):
        for seed in range(4):
            job = Job(model, seed, accuracy=accuracy + 0.001 * seed)
            make_run(tmp_path / model / str(seed), job)
    _seconds(tmp_path / "simple", 1.5)
    found = _told(tmp_path)
    (one,) = found.equal_compute
    assert (one.kind, one.race.noise) == ("run", "courses")
    told = [lead.leaders for lead in one.race.leads]
    assert (told[0], told[-1]) == (["lenet"], ["simple"])
    (sentence,) = _blocks(found)[0].sentences
    assert "up to" in sentence
    assert "lenet leads" in sentence
    chart = {c.slug: c for s in every_chart(found, []) for c in s.charts}["best-by-seconds"]
    assert isinstance(chart, XY)
    assert all(s.low is not None for s in chart.series)


def test_equal_groups_are_within_noise(tmp_path: Path) -> None:
    for model in ("lenet", "simple"):
        for seed, accuracy in enumerate((0.90, 0.93, 0.96)):
            make_run(tmp_path / model / str(seed), Job(model, seed, accuracy=accuracy))
    (sentence,) = _blocks(_told(tmp_path))[0].sentences
    assert "are within noise" in sentence


def test_different_devices_are_named(tmp_path: Path) -> None:
    for model in ("lenet", "simple"):
        make_run(tmp_path / model, Job(model))
    path = tmp_path / "lenet" / "result.json"
    path.write_text(path.read_text().replace('"device": "cpu"', '"device": "cuda"'))
    short, _ = _blocks(_told(tmp_path))
    assert short.sentences[1] == "Seconds are those of different devices (cpu, cuda)."


def test_data_sets_are_races_of_their_own_and_one_of_a_kind_is_none(tmp_path: Path) -> None:
    for data in ("digits", "mnist"):
        for model in ("lenet", "simple"):
            make_run(tmp_path / data / model, Job(model, data=data))
    titles = [b.title for b in _blocks(_told(tmp_path))]
    assert len(titles) == 4
    assert {"At equal training time (data=digits)", "At equal training time (data=mnist)"} < {
        *titles
    }
    make_run(tmp_path / "alone" / "0", Job("lenet"))
    assert _told(tmp_path / "alone").equal_compute == []


def test_runs_that_tell_no_seconds_are_not_compared(tmp_path: Path) -> None:
    for model in ("lenet", "simple"):
        folder = make_run(tmp_path / model, Job(model))
        (folder / "metrics.csv").write_text("epoch,val_accuracy\n1,0.5\n2,0.6\n")
    found = _told(tmp_path)
    assert found.equal_compute == []
    assert _blocks(found) == []


def test_the_sampler_is_found_where_a_comparison_recorded_it(tmp_path: Path) -> None:
    make_compare(tmp_path, ["simple"], trials=4)
    (tmp_path / "simple" / "multirun.yaml").unlink()
    sweeper = {"n_trials": 4, "sampler": {"_target_": "optuna.samplers.QMCSampler"}}
    (tmp_path / "multirun.yaml").write_text(yaml.safe_dump({"hydra": {"sweeper": sweeper}}))
    (sweep,) = _told(tmp_path).gathered.sweeps
    assert (sweep.sampler, sweep.pruner) == ("QMCSampler", "")
