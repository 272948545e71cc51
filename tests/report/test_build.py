"""The real command: its answer, its files, its refusals."""

import contextlib
import csv
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from cnnsweep import report
from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.output.terminal import show
from cnnsweep.report.read.load_runs import gather, roots
from cnnsweep.report.stats.options import Question
from tests.command import cnnsweep, environment, succeeded
from tests.report.made_runs import make_grid


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


@pytest.mark.parametrize("columns", [60, 80, 400])
def test_folders_can_be_copied_from_any_terminal(columns: int, tmp_path: Path) -> None:
    sweep = "2026-05-01_a-sweep-with-a-long-name-of-many-words"
    make_grid(tmp_path / "multirun" / sweep, ["simple", "lenet"], range(2))
    shown = io.StringIO()
    console = Console(file=shown, width=columns, highlight=False)
    with contextlib.chdir(tmp_path):
        found = answer(gather(roots([tmp_path / "multirun"])), Question())
        show(found, console)
        for number in range(4):
            assert Path("multirun", sweep, str(number)).is_dir()
    for number in range(4):
        assert re.search(rf"(^|\s)multirun/{sweep}/{number}\s", shown.getvalue())


def test_headings_name_no_folder_of_this_machine(tmp_path: Path) -> None:
    make_grid(tmp_path / "multirun" / "x", ["simple"], range(2))
    for words, title in (
        ([str(tmp_path / "multirun" / "x")], "multirun/x"), (["multirun"], "multirun"),
        ([], "multirun"), (["."], tmp_path.name),
    ):  # fmt: skip
        succeeded(_report(*words, "--out", "out", "--format", "html,md", cwd=tmp_path))
        page = (tmp_path / "out" / "index.html").read_text()
        assert f"<title>Report on {title}</title>" in page
        assert f"<h1>Report on {title}</h1>" in page
        assert str(tmp_path) not in page.partition('id="data"')[0]
        assert str(tmp_path) not in (tmp_path / "out" / "report.md").read_text()


def test_a_reader_that_leaves_and_ctrl_c_end_it_quietly(mixed: Path) -> None:
    words = [sys.executable, "-m", "cnnsweep.report", "--format"]
    piped = subprocess.Popen(
        [*words, "none"], cwd=mixed, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert piped.stdout is not None
    assert piped.stderr is not None
    piped.stdout.close()
    assert piped.wait(60) == 141
    assert piped.stderr.read() == b""
    piped.stderr.close()
    code = "import signal, sys; import cnnsweep.report.__main__ as m; "
    code += "import cnnsweep.report.build as b; "
    code += "b.answer = lambda *_: signal.raise_signal(signal.SIGINT); sys.exit(m.main())"
    done = subprocess.run([sys.executable, "-c", code], cwd=mixed, env=environment(), check=False)
    assert done.returncode == 130


def test_a_report_is_written_again_in_the_same_process(mixed: Path) -> None:
    """No module of the package may take the place of a function of it."""
    copy = mixed.parent / "copy"
    shutil.copytree(mixed, copy)
    assert report.write(copy) == report.write(copy) == copy / "report" / "index.html"
    assert len(report.load(copy)) == len(report.load(copy))
