"""The house rules that a machine can see to: arrows, circles, sizes, documented commands."""

import ast
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep

import cnnsweep
from cnnsweep.config import CONF_DIR
from cnnsweep.config.composing.typed_conditions import with_condition
from cnnsweep.config.launchers import EXTRAS
from tests.command import REPOSITORY

PACKAGE = Path(cnnsweep.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {
    ".".join(("cnnsweep", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in FILES
}

# Packages from the top of the house to its ground: each may import what stands after it. Packages
# within a package within a package are on the floor of the one around them.
DOORS = ("__main__", "cli", "predict", "hydra_callback", "callback")
FLOORS = (
    "api", "doors", "sweep", "sweep.launch", "sweep.estimate", "sweep.cluster", "sweep.workers",
    "sweep.multihost", "sweep.grid", "sweep.study", "sweep.earlier", "sweep.freeze_thaw",
    "sweep.journal", "sweep.spec", "sweep.machine", "export", "task", "task.longer",
    "other_apps", "run", "session", "stack", "loggers", "diff", "report", "report.output",
    "report.charts", "report.answer", "report.study", "report.stats", "report.read",
    "training.graph", "training", "models", "data", "data.pictures", "folders",
    "config.composing", "config", "machine", "ground",
)  # fmt: skip
# What a package that stands higher may not import all the same. A report reads folders only.
ABOVE_REPORTS = set(FLOORS[FLOORS.index("export") : FLOORS.index("report")])
APART = {
    "training.graph": {"models", "data"},
    "training": {"models", "data"},
    "models": {"training", "data"},
    "data": {"training", "models"},
    "data.pictures": {"folders", "config", "config.composing"},
    "folders": {"config", "config.composing"},
    **{
        floor: ABOVE_REPORTS | {"training", "models", "data", "config"}
        for floor in FLOORS
        if floor.startswith(("diff", "report"))
    },
}
# What a package must not import, however many others lie between.
NEVER = {
    "api": ("torch", "hydra", "omegaconf", "optuna", "pandas"),
    "data": ("hydra", "omegaconf"),
    "data.pictures": ("torch", "hydra", "omegaconf"),
    "machine": ("torch", "hydra", "omegaconf", "optuna"),
    "models": ("hydra", "omegaconf"),
    "training": ("hydra", "omegaconf"),
    "training.graph": ("hydra", "omegaconf"),
    "folders": ("torch", "hydra", "omegaconf", "optuna"),
    "diff": ("torch", "hydra", "omegaconf"),
    "report": ("torch", "hydra", "omegaconf"),
    "sweep.spec": ("torch",),
    "sweep.machine": ("torch", "optuna"),
    "sweep.study": ("torch",),
    "sweep.freeze_thaw": ("torch",),
    "sweep.journal": ("torch",),
}
MOST_FILES, MOST_LINES, LONGEST_FUNCTION = 15, 250, 50
FILE_NAMES = (
    "config.yaml", "result.json", "metrics.csv", "best.pt", "last.pt", "test_predictions.csv",
    "data.csv", "code.patch", "code_of_folder.patch",
    "curves.png", "predictions.png", "confusion.png", "model.onnx", "model.pt2", "cnnsweep.log",
    ".hydra", "overrides.yaml", "hydra.yaml", "command.yaml", ".trackers", ".unfinished", ".lock",
    "multirun.yaml", "jobs.csv", "optimization_results.yaml", "study.journal", "seed_", "search_",
    ".workers", ".hosts", "mutexes", "launcher_{}", "job_{}", "index.html", "runs.csv",
    "summary.csv", ".cache.jsonl",
)  # fmt: skip
FOLDER_WORDS = ("confirm", "report", "token")  # counted where they are a whole literal
KEYS = (  # hydra.sweeper.confirm is a key, and no folder; so was search_space
    "sweep/spec/settings.py", "config/sweeper_keys.py", "sweep/launch/former_keys.py",
    "folders/recorded_defaults.py",
)  # fmt: skip
PLUGINS = {"joblib": "joblib", "ray": "ray", "slurm": "submitit"}  # of which extra
HOMES_OF_PRIVATE_NAMES = {  # of other packages; each of them has its contract test
    "config/hydra_internals.py",
    "stack/torch_internals.py",
    "sweep/journal/kept_trials.py",
    "sweep/spec/optuna_internals.py",
    "training/graph/cuda.py",  # torch's allocator, which an unfinished capture leaves recording
    "training/graph/optimizer.py",  # torch's dispatcher: whether a device has a fused kernel
    "training/fine_tuning.py",  # torch's _BatchNorm: the base of all batch norms has no other name
}
DOCUMENTED = {"os._exit", "rule._replace", "metrics._replace"}  # the latter of any NamedTuple
BANNED_NAMES = {"utils", "helpers", "common", "misc"}


def floor_of(module: str) -> str:
    """The package of a module, as FLOORS names it."""
    parts = module.split(".")[1:]
    for depth in (2, 1):
        name = ".".join(parts[:depth])
        if name in FLOORS and (name == "run" or (PACKAGE / name.replace(".", "/")).is_dir()):
            return name
    return "doors" if parts and parts[0] in DOORS else "ground"


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path, *, at_import: bool = False) -> frozenset[str]:
    """All that a file imports, from a package its modules; ``at_import``: not inside functions."""
    found: set[str] = set()
    for node in statements(tree_of(path), at_import):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return frozenset(found)


def statements(tree: ast.Module, at_import: bool) -> Iterator[ast.AST]:
    if not at_import:
        yield from ast.walk(tree)
        return
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        waiting += ast.iter_child_nodes(node)


def ours(path: Path, *, at_import: bool = False) -> set[str]:
    return {name for name in imports(path, at_import=at_import) if name in MODULES}


def test_arrows_point_down() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        for name in sorted(ours(path))
        if floor_of(module) != floor_of(name)
        and (
            FLOORS.index(floor_of(module)) > FLOORS.index(floor_of(name))
            or floor_of(name) in APART.get(floor_of(module), set())
        )
    ]
    assert wrong == []


def test_every_package_stands_on_a_floor() -> None:
    """What lies deeper than two folders belongs to the floor of those two."""
    folders = {".".join(path.parent.relative_to(PACKAGE).parts[:2]) for path in FILES} - {""}
    assert folders == set(FLOORS) - {"doors", "run", "ground"}
    assert [door for door in DOORS if f"cnnsweep.{door}" not in MODULES] == []


def test_no_file_imports_itself_through_others() -> None:
    graph = {module: ours(path) - {module} for module, path in MODULES.items()}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"circle: {' > '.join(error.args[1])}")


def below(module: str) -> set[str]:
    """What importing a module imports of ours, however many others lie between."""
    seen, waiting = {module}, [module]
    while waiting:
        name = waiting.pop()
        parents = {".".join(name.split(".")[:depth]) for depth in range(1, name.count(".") + 1)}
        fresh = (ours(MODULES[name], at_import=True) | parents) - seen
        seen |= fresh
        waiting += fresh
    return seen


@pytest.mark.parametrize("part", NEVER)
def test_a_package_reaches_no_library_above_its_floor(part: str) -> None:
    wrong = {
        f"{module} > … > {behind} imports {name}"
        for module in MODULES
        if f"{floor_of(module)}.".startswith(f"{part}.")
        for behind in below(module)
        for name in imports(MODULES[behind], at_import=True)
        if name.split(".")[0] in NEVER[part]
    }
    assert wrong == set()


def test_the_rules_themselves_see_what_they_forbid() -> None:
    assert floor_of("cnnsweep.sweep.study.search") == "sweep.study"
    assert floor_of("cnnsweep.run") == "run"
    assert floor_of("cnnsweep.report.output.page") == "report.output"
    assert floor_of("cnnsweep.errors") == "ground"
    assert floor_of("cnnsweep.hydra_callback") == "doors"
    assert "cnnsweep.sweep.spec.plan" in ours(MODULES["cnnsweep.sweep.study.search"])
    assert "cnnsweep.errors" in below("cnnsweep.report.cli")
    assert any(name.startswith("torch") for name in imports(MODULES["cnnsweep.checkpoint_file"]))


def test_a_single_run_needs_no_sweep() -> None:
    users = [
        module
        for module, path in MODULES.items()
        if not module.startswith("cnnsweep.sweep")
        and any(name.startswith("cnnsweep.sweep") for name in ours(path))
    ]
    assert users == []


def test_folders_and_files_and_functions_are_of_a_size_that_can_be_looked_over() -> None:
    files = Counter(path.parent for path in FILES if path.name != "__init__.py")
    lines = {path: len(path.read_text().splitlines()) for path in FILES}
    functions = dict(lengths())
    print(
        f"{len(FILES)} files, {sum(lines.values())} lines; files a folder: median "
        f"{median(files.values())}, most {max(files.values())}; lines a file: median "
        f"{median(lines.values())}, most {max(lines.values())}; lines a function: median "
        f"{median(functions.values())}, 95 % up to "
        f"{sorted(functions.values())[len(functions) * 95 // 100]}, most {max(functions.values())}"
    )
    assert {str(folder): n for folder, n in files.items() if n > MOST_FILES} == {}
    assert {str(path): n for path, n in lines.items() if n > MOST_LINES} == {}
    assert {name: n for name, n in functions.items() if n > LONGEST_FUNCTION} == {}
    assert lines[PACKAGE / "run.py"] <= 200


def lengths() -> Iterator[tuple[str, int]]:
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                name = f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}"
                yield name, node.end_lineno - node.lineno + 1


def test_tests_stand_where_their_packages_do() -> None:
    packages = {path.parent.relative_to(PACKAGE) for path in FILES}
    tests = REPOSITORY / "tests"
    without = [str(p) for p in sorted(packages) if not list((tests / p).glob("test_*.py"))]
    assert without == []


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("_")  # OmegaConf's own keys: _target_


def private_names(path: Path) -> Iterator[str]:
    """Private names that a file uses of what is not its own."""
    nodes = list(ast.walk(tree_of(path)))
    used = [n for n in nodes if isinstance(n, ast.Attribute) and is_private(n.attr)]
    methods = {n.name for n in nodes if isinstance(n, ast.FunctionDef)}
    fields = {ast.unparse(n.target) for n in nodes if isinstance(n, ast.AnnAssign)}
    yield from (
        ast.unparse(n)
        for n in used
        if ast.unparse(n.value) not in ("self", "cls", "super()") and n.attr not in methods | fields
    )
    taken = [
        (n.module, alias.name) for n in nodes if isinstance(n, ast.ImportFrom) for alias in n.names
    ]
    names = [*imports(path), *(f"{module}.{name}" for module, name in taken)]
    yield from (name for name in names if any(map(is_private, name.split("."))))


def test_private_names_of_others_have_one_home() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} uses {name}"
        for path in FILES
        if path.relative_to(PACKAGE).as_posix() not in HOMES_OF_PRIVATE_NAMES
        for name in private_names(path)
        if name not in DOCUMENTED
    ]
    assert wrong == []


def test_typed_words_are_read_as_they_were_typed() -> None:
    """Elsewhere than here OmegaConf would resolve their interpolations, each out of its place."""
    wrong = [
        f"{path.relative_to(PACKAGE)}: {ast.unparse(node)}"
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and ast.unparse(node.value).endswith("hydra.overrides")
    ]
    assert wrong == [
        "config/overrides.py: hydra.overrides.hydra",
        "config/overrides.py: hydra.overrides.task",
    ]


def test_a_file_is_named_after_its_idea() -> None:
    assert [str(path) for path in FILES if path.stem in BANNED_NAMES] == []


def test_no_file_names_one_machines_folders() -> None:
    tracked = [*FILES, REPOSITORY / "README.md", *(REPOSITORY / "conf").rglob("*.yaml")]
    pattern = re.compile(r"/(root|work|home|Users)/")
    assert [str(path) for path in tracked if pattern.search(path.read_text())] == []


@cache
def literals(path: Path) -> tuple[str, ...]:
    """String literals and the fixed parts of f-strings; no docstrings."""
    nodes = list(ast.walk(tree_of(path)))
    lone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [n for n in nodes if isinstance(n, ast.Constant) and id(n) not in lone]
    return tuple(node.value for node in texts if isinstance(node.value, str))


def spells(literal: str, name: str) -> bool:
    if name in FOLDER_WORDS:
        return literal.strip("/") == name
    if name not in literal:
        return False
    end = r"" if name.endswith(("_", "}")) else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(name)}{end}", literal) is not None


@pytest.mark.parametrize("name", [*FILE_NAMES, *FOLDER_WORDS])
def test_each_file_name_is_spelled_once(name: str) -> None:
    places = [
        str(path.relative_to(PACKAGE))
        for path in FILES
        for literal in literals(path)
        if spells(literal, name)
    ]
    assert len([place for place in places if place not in KEYS]) == 1, places


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
    composed = [written for word in typed if (written := with_condition(word)) != word]
    typed = [word for word in typed if with_condition(word) == word]
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
    if "resume=latest" in composed and "hydra.sweeper" in command:
        composed.append("hydra/sweeper=optuna")  # as recorded in the folder that is found
    with initialize_config_dir(str(CONF_DIR)):
        compose("config", composed)
