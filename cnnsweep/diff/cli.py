"""The command line of ``python -m cnnsweep.diff``."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from cnnsweep.errors import UserError, unknown
from cnnsweep.report.cli import Parser
from cnnsweep.rules import path_with_home

FORMATS = ("md", "json", "png")
OUT = Path("diff")
_EPILOG = """examples:
  python -m cnnsweep.diff outputs/2026-05-01/10-00-00 outputs/2026-05-01/11-30-00
  python -m cnnsweep.diff multirun/monday multirun/tuesday --metric test_accuracy
  python -m cnnsweep.diff A B --format all --out a_and_b      text, and files with the curves
  python -m cnnsweep.diff A B --format json | jq .settings    JSON alone, on standard output"""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The command line, checked. ``out`` is None where no files are wanted."""

    first: Path
    second: Path
    metric: str | None
    by: tuple[str, ...]
    images: Path | None
    out: Path | None
    formats: tuple[str, ...]
    exit_code: bool

    @property
    def is_json_alone(self) -> bool:
        """Whether the JSON goes to standard output, and nothing else does."""
        return self.formats == ("json",) and self.out is None


def parse(words: list[str] | None) -> Arguments:
    """Read the command line. Raises UserError for a value that cannot be used."""
    typed = _parser().parse_args(words)
    by = tuple(key.strip() for key in (typed.by or "").split(",") if key.strip())
    if typed.by is not None and not by:
        raise UserError(f"--by {typed.by!r}: a column is needed, or several with commas between")
    if typed.images is not None and not typed.images.is_dir():
        raise UserError(f"--images {typed.images}: no such folder")
    formats = _formats(typed.format, typed.out)
    out = typed.out
    if formats and formats != ("json",):
        out = out or OUT
    first, second = (path_with_home(folder) for folder in (typed.first, typed.second))
    return Arguments(first, second, typed.metric, by, typed.images, out, formats, typed.exit_code)


def _formats(typed: str | None, out: Path | None) -> tuple[str, ...]:
    if typed is None:
        return () if out is None else FORMATS
    if typed == "all":
        return FORMATS
    names = dict.fromkeys(name.strip() for name in typed.split(","))
    for name in names:
        if name not in FORMATS:
            raise unknown("--format", name, [*FORMATS, "all"])
    return tuple(names)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m cnnsweep.diff",
        description="What differs between two runs: settings, data, code, environment, metrics "
        "with their uncertainty, test images. Or between two sweeps. Needs neither torch nor a "
        "network.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("first", metavar="A", help="folder of a run, or of a sweep")
    add("second", metavar="B", help="folder to compare it with; beside a run, a sweep's best run")
    add("--metric", help="of sweeps: the metric that groups are compared by")
    add("--by", metavar="COLUMN,...", help="of sweeps: the columns that make their groups")
    add("--images", type=path_with_home, metavar="DIR",
        help="data.root of MNIST and its like: draw the images they disagree on")  # fmt: skip
    add("--out", type=path_with_home, metavar="DIR",
        help=f"write files there (default, with --format: {OUT}/)")  # fmt: skip
    add("--format", metavar="NAME,...",
        help=f"files: {', '.join(FORMATS)} or all; json alone goes to standard output")  # fmt: skip
    add("--exit-code", action="store_true",
        help="end with 1 where settings, data, code or metrics differ")  # fmt: skip
    return parser
