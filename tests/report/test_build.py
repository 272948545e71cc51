"""The real command: its answer, its files, its refusals."""

import csv
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnnsweep import report
from tests.command import cnnsweep, environment, succeeded
from tests.report.made_runs import Job, make_grid, make_run


def _report(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return cnnsweep(*words, cwd=cwd, module="cnnsweep.report")


@pytest.fixture(scope="module")
def told(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp("out")
    words = ("--by", "model", "--out", str(out), "--format", "csv,md,tex")
    return succeeded(_report(*words, cwd=mixed)), out


def test_the_terminal_shows_counts_groups_verdict_winners_and_cost(told: tuple[str, Path]) -> None:
    text, _ = told
    assert text.startswith("55 runs: 44 completed, 5 pruned, 3 failed, 1 interrupted, ")
    assert "1 unfinished, 1 damaged; test_accuracy decides (higher is better)" in text
    assert "Best runs (data=digits)" in text
    assert "95 % interval" in text
    assert "resnet can't be compared: its n = 10 mixes 2 settings" in text
    assert "resnet leads 2 tuned networks with test_accuracy" in text
    assert "pruning spared" in text
    assert "not read: outputs/damaged/result.json: not JSON" in text


def test_runs_csv_has_a_row_for_every_run(told: tuple[str, Path]) -> None:
    with (told[1] / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15 + 2 * (12 + 5) + 6
    assert {row["status"] for row in rows} == {
        "completed", "failed", "interrupted", "pruned", "unfinished", "damaged",
    }  # fmt: skip
    assert {row["role"] for row in rows} == {"grid", "search", "confirm", "single"}
    assert all((Path(row["folder"]).parts[0]) in ("multirun", "outputs") for row in rows)
    search = [row for row in rows if row["role"] == "search"]
    assert {row["test_accuracy"] for row in search} == {""}


def test_summary_csv_is_the_mean_of_runs_csv(told: tuple[str, Path]) -> None:
    with (told[1] / "runs.csv").open(newline="") as file:
        runs = [row for row in csv.DictReader(file) if row["test_accuracy"]]
    with (told[1] / "summary.csv").open(newline="") as file:
        summary = {(row["runs_with"], row["group"]): row for row in csv.DictReader(file)}
    for (where, model), row in summary.items():
        own = [r for r in runs if r["model"] == model and where == f"data={r['data']}"]
        values = [float(r["test_accuracy"]) for r in own]
        assert int(row["n"]) == len(values)
        assert float(row["mean"]) == pytest.approx(sum(values) / len(values))
    assert len(summary) == 4


def test_the_text_files_hold_the_tables(told: tuple[str, Path]) -> None:
    markdown = (told[1] / "report.md").read_text()
    assert "| resnet | 10 (2 settings) | " in markdown
    assert "workers idle for" in markdown
    tex = (told[1] / "report.tex").read_text()
    assert tex.count(r"\begin{tabular}") == tex.count(r"\end{tabular}") == 3
    assert tex.count(r"\midrule") == 1 + 1 + 2  # ranking, winners, and two strata of groups
    assert "optim.momentum=" in tex
    assert r"$\pm$" in tex


def test_options_choose_groups_runs_and_metric(mixed: Path) -> None:
    words = ("multirun", "--by", "model,seed", "--metric", "val_loss", "--where", "seed<2")
    text = succeeded(_report(*words, "--top", "3", "--format", "none", cwd=mixed))
    assert "val_loss by model, seed" in text
    assert "model=resnet, seed=1" in text
    assert "lower is better" in text
    assert not (mixed / "multirun" / "report").exists()


def test_the_default_place_is_in_the_one_folder_given_else_here(tmp_path: Path) -> None:
    make_grid(tmp_path / "multirun" / "x", ["simple"], [0, 1])
    succeeded(_report("multirun", "--format", "csv", cwd=tmp_path))
    assert (tmp_path / "multirun" / "report" / "runs.csv").is_file()
    text = succeeded(_report("--format", "csv", cwd=tmp_path))
    assert (tmp_path / "report" / "summary.csv").is_file()
    assert text.startswith("2 runs:")  # the reports are no runs


@pytest.mark.parametrize(
    ("words", "error_line"),
    [
        (["multirum"], "multirum is no such folder. Did you mean multirun?"),
        (["multirun", "--metric", "tets_loss"], "unknown metric 'tets_loss'. Did you mean"),
        (["multirun", "--by", "modell"], "unknown column in --by 'modell'. Did you mean 'model'"),
        (["multirun", "--where", "x"], "--where 'x' is no condition"),
        (["multirun", "--baseline", "vgg"], "unknown group in --baseline 'vgg'."),
        (["multirun", "--format", "pdf"], "unknown --format 'pdf'."),
        (["multirun", "--top", "0"], "--top 0: allowed is 1 or more"),
        (["multirun", "--top", "x"], "argument --top: invalid int value: 'x'"),
        (["multirun", "--wehre", "a=1"], "Did you mean --where?"),
        (["multirun", "--interval", "z"], "invalid choice: 'z'"),
        (["multirun", "--out", "/proc/none"], "cannot write /proc/none"),
        (["empty"], "no run below empty"),
    ],
)
def test_bad_arguments_get_one_line(
    mixed: Path, tmp_path: Path, words: list[str], error_line: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "multirun").symlink_to(mixed / "multirun")
    done = _report(*words, cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert error_line in done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


def test_watch_waits_rebuilds_and_stops_at_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "multirun").mkdir()
    words = ["multirun", "--watch", "--every", "0.2", "--format", "csv"]
    process = subprocess.Popen(
        [sys.executable, "-m", "cnnsweep.report", *words],
        cwd=tmp_path, env=environment(PYTHONUNBUFFERED="1"), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    table = tmp_path / "multirun" / "report" / "runs.csv"
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "no run yet; looking every 0.2 s\n"
        for number in range(2):
            make_run(tmp_path / "multirun" / str(number), Job(seed=number))
            deadline = time.monotonic() + 60
            while not (table.is_file() and len(table.read_text().splitlines()) == number + 2):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert text.rstrip().endswith("stopped watching")
    assert re.search(r"^1 run: .*^2 runs: ", text, re.MULTILINE | re.DOTALL)


def test_a_report_is_written_again_in_the_same_process(mixed: Path) -> None:
    """No module of the package may take the place of a function of it."""
    copy = mixed.parent / "copy"
    shutil.copytree(mixed, copy)
    assert report.write(copy) == report.write(copy) == copy / "report" / "index.html"
    assert len(report.load(copy)) == len(report.load(copy))
