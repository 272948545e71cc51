"""benchmarks/gpu.sh: what it types exists, and it neither overwrites nor ends for one failure."""

import csv
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from benchmarks import gpu_tables
from cnnsweep.config import CONF_DIR
from tests.command import REPOSITORY

SCRIPT = REPOSITORY / "benchmarks" / "gpu.sh"
# Stands where Python would: writes down what it is asked to do, and does nothing.
RECORDER = """#!{python}
import json, os, sys
with open(os.environ["TYPED"], "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
sys.exit(int(os.environ.get("FAILS", "nothing") in sys.argv))
"""


Typed = Callable[..., tuple[subprocess.CompletedProcess[str], list[list[str]]]]


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    """Runs the script with these words; what it said, and the Python commands that it typed."""
    recorder, log, data = tmp_path / "python", tmp_path / "typed", tmp_path / "data"
    recorder.write_text(RECORDER.format(python=sys.executable))
    recorder.chmod(recorder.stat().st_mode | stat.S_IXUSR)
    data.mkdir()

    def run(
        *words: str, fails: str = "nothing"
    ) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
        log.write_text("")
        more = {"PYTHON": str(recorder), "TYPED": str(log), "FAILS": fails}
        done = subprocess.run(
            ("bash", str(SCRIPT), *words),
            cwd=tmp_path,
            env=os.environ | more | {"CNNSWEEP_DATA": str(data)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done, [json.loads(line) for line in log.read_text().splitlines()]

    return run


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_every_command_of_every_part_has_only_what_there_is(device: str, typed: Typed) -> None:
    done, commands = typed("out", "--device", device)
    assert "in all" in done.stdout, done.stderr
    modules = [words[1] for words in commands if words[0] == "-m"]
    assert {"cnnsweep", "pytest", "benchmarks.stacking", "benchmarks.gpu_profile"} <= set(modules)
    with initialize_config_dir(str(CONF_DIR)):
        keys = {
            name: compose(
                "config", ["data=mnist", f"hydra/sweeper={name}"], return_hydra_config=True
            )
            for name in ("grid", "optuna")
        }
    for words in commands:
        if words[0] != "-m":
            continue
        module, given = words[1], words[2:]
        if module == "cnnsweep":
            searches = "search=sgd" in given
            _check_overrides(given, keys["optuna" if searches else "grid"])
        elif module == "pytest":
            assert all((REPOSITORY / word).is_file() for word in given if word.startswith("tests/"))
            assert any(word.startswith("tests/") for word in given)
        else:
            import_module(module)._arguments(given)  # exits for what it does not know


def _check_overrides(words: list[str], config: DictConfig) -> None:
    overrides = [word for word in words if not word.startswith("--")]
    for override in OverridesParser.create().parse_overrides(overrides):
        key = override.key_or_group
        group = CONF_DIR / key
        if not group.is_dir():
            parent, _, name = key.rpartition(".")
            assert name in (OmegaConf.select(config, parent) if parent else config), key
            continue
        text = str(override.input_line).partition("=")[2]
        for choice in text.split(","):
            assert (group / f"{choice}.yaml").is_file(), override.input_line


def test_a_part_that_fails_ends_no_other_one(typed: Typed) -> None:
    words = ("out", "--device", "cpu", "--only", "stacking", "profile")
    done, commands = typed(*words, fails="benchmarks.stacking")
    assert done.returncode == 1
    assert "benchmarks.gpu_profile" in [words[1] for words in commands]
    assert re.search(r"ways of stacking +failed \(1\)", done.stdout)
    assert re.search(r"profile +ok", done.stdout)


def test_results_of_an_earlier_call_are_left_alone(tmp_path: Path, typed: Typed) -> None:
    words = ("out", "--device", "cpu", "--only", "profile")
    first, _ = typed(*words)
    assert first.returncode == 0, first.stderr
    before = (tmp_path / "out" / "gpu.log").read_bytes()
    second, commands = typed(*words)
    assert second.returncode == 2
    assert second.stderr.strip() == (
        "out holds the results of an earlier call: name another folder"
    )
    assert commands == []
    assert (tmp_path / "out" / "gpu.log").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("--device", "gpu"),
        ("--device",),
        ("--seconds", "long"),
        ("--only", "nothing"),
        ("--fast",),
    ],
)
def test_words_that_it_does_not_know_are_refused(words: tuple[str, ...], typed: Typed) -> None:
    done, commands = typed(*words)
    assert done.returncode == 2
    assert "usage: bash benchmarks/gpu.sh" in done.stderr
    assert commands == []


def test_nothing_is_begun_without_time(typed: Typed) -> None:
    done, commands = typed("out", "--device", "cpu", "--seconds", "0")
    assert done.returncode == 1
    assert commands == []
    assert "no time left" in done.stdout


def test_tables_hold_the_runs_and_searches_that_are_complete(tmp_path: Path) -> None:
    runs, out = tmp_path / "runs", tmp_path / "out"
    _run(runs / "networks_64" / "0", 10.0, ["model=lenet", "graph=true", "epochs=3"])
    _run(runs / "networks_64" / "1", None, ["model=lenet", "graph=false"])
    for number in range(2):
        _run(runs / "search_stack_2" / str(number), 100.0 + number, ["optim.lr=0.1"])
    gpu_tables.main((str(runs), str(out)))
    (network,) = _rows(out / "networks.csv")
    assert network["keys"] == "model=lenet graph=true"
    assert network["median_images_per_second"] == "300"
    assert network["last_epoch_images_per_second"] == "400"
    (search,) = _rows(out / "searches.csv")
    assert (search["trials"], search["completed"], search["epochs"]) == ("2", "2", "6")
    assert (search["seconds"], search["trials_per_hour"]) == ("101.0", str(round(7200 / 101)))
    assert not (out / "recipes.csv").exists()


def _run(folder: Path, seconds: float | None, typed: list[str]) -> None:
    """A run's files: its config written at 0 s, its result after ``seconds`` (None: not yet)."""
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text("".join(f"- {word}\n" for word in typed))
    (folder / "config.yaml").write_text("seed: 0\n")
    os.utime(folder / "config.yaml", (1_000_000, 1_000_000))
    rates = "".join(f"{epoch},{rate}\n" for epoch, rate in enumerate((10, 200, 400), 1))
    (folder / "metrics.csv").write_text(f"epoch,images_per_second\n{rates}")
    if seconds is None:
        return
    said = {
        "status": "completed", "epochs": 3, "train_seconds": 1.5, "val_accuracy": 0.9,
        "test_accuracy": None, "precision": "float32", "error": None, "stack": 2,
        "hardware": {"gpu": "a GPU"}, "versions": {"torch": "2.14.1"},
    }  # fmt: skip
    (folder / "result.json").write_text(json.dumps(said))
    os.utime(folder / "result.json", (1_000_000 + seconds, 1_000_000 + seconds))


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open() as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))
