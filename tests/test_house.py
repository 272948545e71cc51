"""The house rules that a machine can see to."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep

import cnnsweep
from cnnsweep.config import CONF_DIR
from cnnsweep.config.launchers import EXTRAS
from tests.command import REPOSITORY

PACKAGE = Path(cnnsweep.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN = {
    "data": (
        "hydra",
        "omegaconf",
        "cnnsweep.models",
        "cnnsweep.training",
        "cnnsweep.folders.run_folder",
    ),
    "models": (
        "hydra",
        "omegaconf",
        "cnnsweep.data",
        "cnnsweep.training",
        "cnnsweep.folders.run_folder",
    ),
    "training": (
        "hydra",
        "omegaconf",
        "cnnsweep.data",
        "cnnsweep.models",
        "cnnsweep.folders.run_folder",
    ),
    "report": ("hydra", "omegaconf", "torch", "cnnsweep.run", "cnnsweep.sweep"),
}
PLUGINS = {"joblib": "joblib", "ray": "ray", "slurm": "submitit"}  # of which extra
HOMES_OF_PRIVATE_NAMES = {  # of other packages; each of the two has its contract test
    "config/hydra_internals.py",
    "sweep/spec/optuna_internals.py",
    "training/fine_tuning.py",  # torch's _BatchNorm: the base of all batch norms has no other name
}
DOCUMENTED = {"os._exit"}
BANNED_NAMES = {"utils", "helpers", "common", "misc"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("part", FORBIDDEN)
def test_arrows_run_one_way(part: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in FILES
        if path.relative_to(PACKAGE).parts[0] == part
        for name in imports(path)
        if any(is_below(name, forbidden) for forbidden in FORBIDDEN[part])
    ]
    assert wrong == []


def test_a_single_run_needs_no_sweep() -> None:
    outside = [path for path in FILES if path.relative_to(PACKAGE).parts[0] != "sweep"]
    users = [
        str(path.relative_to(PACKAGE))
        for path in outside
        if any(is_below(name, "cnnsweep.sweep") for name in imports(path))
    ]
    assert users == []


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("_")  # OmegaConf's own keys: _target_


def private_names(path: Path) -> Iterator[str]:
    """Private names that a file uses of what is not its own."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    own = {"self", "cls", "super()", *(n.name for n in nodes if isinstance(n, ast.ClassDef))}
    used = (n for n in nodes if isinstance(n, ast.Attribute) and is_private(n.attr))
    yield from (ast.unparse(n) for n in used if ast.unparse(n.value) not in own)
    yield from (name for name in imports(path) if any(map(is_private, name.split("."))))


def test_private_names_of_others_have_one_home() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} uses {name}"
        for path in FILES
        if path.relative_to(PACKAGE).as_posix() not in HOMES_OF_PRIVATE_NAMES
        for name in private_names(path)
        if name not in DOCUMENTED
    ]
    assert wrong == []


def test_a_file_is_named_after_its_idea() -> None:
    assert [str(path) for path in FILES if path.stem in BANNED_NAMES] == []


def test_no_file_names_one_machines_folders() -> None:
    tracked = [*FILES, REPOSITORY / "README.md", *(REPOSITORY / "conf").rglob("*.yaml")]
    pattern = re.compile(r"/(root|work|home|Users)/")
    assert [str(path) for path in tracked if pattern.search(path.read_text())] == []


def commands(path: Path) -> list[str]:
    """What is typed after us, or after the script for SLURM, in a document's shell blocks."""
    blocks = re.findall(r"```bash\n(.*?)```", path.read_text(), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    typed = [re.search(r"(?:-m cnnsweep|sbatch docs/slurm/run\.sh)( .*)", line) for line in lines]
    return [found[1].split("  #")[0].strip() for found in typed if found is not None]


def table_overrides(path: Path) -> list[str]:
    """The overrides of sweeps that a document's tables show, with what they presuppose."""
    rows = re.findall(r"^\|.*\|$", path.read_text(), re.MULTILINE)
    spans = re.findall(r"`('?\+?hydra[./][^`…]*=[^`…]+)`", "\n".join(rows))
    return [f"search=sgd {launcher_of(span)} {span}" for span in spans]


def launcher_of(override: str) -> str:
    """What chooses the launcher whose key is set."""
    name = "ray" if "hydra.launcher.ray." in override else "submitit_slurm"
    return f"hydra/launcher={name}" if "hydra.launcher." in override else ""


README = commands(REPOSITORY / "README.md")
DOCUMENTS = sorted((REPOSITORY / "docs").glob("*.md"))
SHOWN = [*README, *(typed for path in DOCUMENTS for typed in commands(path))]
TABLES = [typed for path in DOCUMENTS for typed in table_overrides(path)]


def test_the_documents_show_commands() -> None:
    assert len(README) >= 10
    assert len(SHOWN) - len(README) >= 15
    assert len(TABLES) >= 15


@pytest.mark.parametrize("command", dict.fromkeys([*SHOWN, *TABLES]))
def test_every_command_of_the_documents_composes(command: str) -> None:
    typed = [word for word in shlex.split(command) if not word.startswith("--")]
    composed = []
    for override in OverridesParser.create().parse_overrides(typed):
        swept = override.value()
        if isinstance(swept, IntervalSweep):
            value = str(swept.start)
        elif override.is_sweep_override():
            value = next(override.sweep_string_iterator())
        else:
            value = override.get_value_element_as_str()
        composed.append(f"{str(override.input_line).partition('=')[0]}={value}")
    for launcher, extra in EXTRAS.items():
        if f"hydra/launcher={launcher}" in composed:
            pytest.importorskip(f"hydra_plugins.hydra_{PLUGINS[extra]}_launcher")
    with initialize_config_dir(str(CONF_DIR)):
        compose("config", composed)
