"""What was typed counts, or is refused in one line: drawn commands, by the real entry point."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnsweep.dotted_keys import look_up
from cnnsweep.folders.run_folder import RunFolder
from tests.forked_commands import BUILT, Commands, Ended, forked_commands
from tests.made_commands import Command, made_command, written

EVERY_DAY, RECORDED = 40, 500
ABSENT = object()


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with forked_commands() as running:
        yield running


@pytest.mark.parametrize("seed", range(EVERY_DAY))
def test_a_drawn_command_uses_all_or_is_refused(
    seed: int, commands: Commands, tmp_path: Path
) -> None:
    judged(made_command(seed), commands, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_hundred_drawn_commands(commands: Commands, tmp_path: Path) -> None:
    ends: Counter[str] = Counter()
    faults = []
    for seed in range(1000, 1000 + RECORDED):
        command = made_command(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            end = judged(command, commands, folder)
        except AssertionError as fault:
            faults.append(f"seed {seed}: {command.text()}\n{fault}")
            end = "faults"
        ends[f"{end}, {'wrong' if command.wrong else 'right'}"] += 1
    print(f"\n{RECORDED} commands: {dict(sorted(ends.items()))}")
    assert not faults, "\n\n".join(faults)
    assert ends["ran, right"] >= RECORDED // 4


def judged(command: Command, commands: Commands, folder: Path) -> str:
    """Run a command and hold it to the rule; how it ended."""
    written(command, folder)
    ended = commands.run(command.words, folder)
    said = f"{command.text()}\n--- code {ended.code}\n{ended.out}\n{ended.err}"
    assert "Traceback" not in ended.out + ended.err, said
    if ended.code == 0:
        assert [why for why in command.wrong if not why.startswith("perhaps ")] == [], said
        all_is_used(command, folder, said)
        return "ran"
    assert_refused(ended, command, folder, said)
    if not command.wrong:
        return "refused while running" if run_folders(folder) else "refused"
    return "refused"


def all_is_used(command: Command, folder: Path, said: str) -> None:
    """The recorded configs hold what was typed, and so do the objects of the runs."""
    runs = run_folders(folder)
    assert len(runs) == (command.grid or 1), said
    if command.folder is not None and not command.grid:
        assert runs == [folder / command.folder], said
    for run in runs:
        config = RunFolder(run).read_config()
        result = RunFolder(run).read_result()
        assert config is not None
        assert result is not None
        assert result["status"] == "completed", said
        noted = run / BUILT  # by this command's own process, which a grid's workers are not
        built = {} if command.grid and not noted.exists() else json.loads(noted.read_text())
        for key, value in command.expected.items():
            found = look_up(config, key, ABSENT)
            assert found == value, f"{key} is {found}\n{said}"
            got: Any = built.get(key, value)
            if key == "model.dropout":
                assert value in got or value == 0, f"built {key}: {got}\n{said}"
            elif not (key == "optim.lr" and command.chosen["scheduler"] != "none"):
                assert got == value, f"built {key}: {got}\n{said}"


def assert_refused(ended: Ended, command: Command, folder: Path, said: str) -> None:
    lines = ended.err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert (ended.code, len(errors)) == (1, 1), said
    assert len(errors[0]) > len("error: "), said
    if not command.grid:
        assert lines == errors, said
    for run in run_folders(folder):
        result = RunFolder(run).read_result()
        assert result is not None, f"{run} is half-written\n{said}"
        assert result["status"] in ("failed", "completed"), said
    kept = {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()}
    assert kept <= {"mine", "outputs", "multirun", "runs"}, said
    if not run_folders(folder):
        assert kept <= {"mine"}, f"{kept} is left\n{said}"


def run_folders(folder: Path) -> list[Path]:
    return sorted({path.parent for path in folder.rglob(".hydra")})


def test_the_commands_are_of_all_kinds() -> None:
    drawn = [made_command(seed) for seed in range(1000, 1000 + RECORDED)]
    assert sum(bool(command.wrong) for command in drawn) > RECORDED // 4
    assert sum(not command.wrong for command in drawn) > RECORDED // 4
    for word in ("experiment=x", "--multirun", "search=sgd", "optim=own", "+my.rate=0.2"):
        assert any(word in command.words for command in drawn), word
    files = [text for command in drawn for text in command.files.values()]
    assert any("# @package" not in text for text in files)
    assert yaml.safe_load(next(text for text in files if "momentum" in text))
