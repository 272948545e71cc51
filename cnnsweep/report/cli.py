"""The command line of ``python -m cnnsweep.report``."""

import argparse
import math
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from cnnsweep.errors import UserError, unknown
from cnnsweep.folders.sweep_folder import REPORT
from cnnsweep.report.stats.options import Question
from cnnsweep.rules import path_with_home

FORMATS = ("csv", "md", "tex", "html", "png", "svg", "json")
DEFAULT_FORMATS = FORMATS[:4]
_DEFAULT = Question()
_EPILOG = """examples:
  python -m cnnsweep.report                                   everything below outputs and multirun
  python -m cnnsweep.report multirun/2026-05-01 --baseline simple
  python -m cnnsweep.report --by model,optim.lr --baseline 'model=simple, optim.lr=0.01'
  python -m cnnsweep.report --where 'model=resnet,lenet' --where 'epochs>=5' --format all
  python -m cnnsweep.report multirun --watch                  rebuild while runs come in
  python -m cnnsweep.report --format json | jq '.verdicts[]'"""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The command line, checked. ``formats`` is empty where only the terminal is wanted."""

    folders: list[Path]
    question: Question
    out: Path | None
    formats: tuple[str, ...]
    watch: bool
    every: float


def parse(words: list[str] | None) -> Arguments:
    """Read the command line. Raises UserError for a value that cannot be used."""
    typed = _parser().parse_args(words)
    if typed.top < 1:
        raise UserError(f"--top {typed.top}: allowed is 1 or more")
    if typed.every <= 0:
        raise UserError(f"--every {typed.every}: allowed is a number of seconds above 0")
    if typed.margin is not None and not 0 < typed.margin < math.inf:
        raise UserError(f"--margin {typed.margin:g}: allowed is a number above 0")
    by, best_of = _columns("--by", typed.by), _columns("--best-of", typed.best_of)
    for key in best_of:
        if key in by or key == "seed":
            reason = "the mean is over seeds" if key == "seed" else "it is in --by too"
            raise UserError(f"--best-of {key}: {reason}; allowed are other columns")
    if typed.images is not None and not typed.images.is_dir():
        raise UserError(f"--images {typed.images}: no such folder")
    where = tuple(typed.where)
    question = Question(
        by, typed.metric, where, typed.top, typed.baseline, typed.interval, typed.images,
        best_of, typed.margin,
    )  # fmt: skip
    folders = [path_with_home(folder) for folder in typed.folder]
    formats = _formats(typed.format)
    return Arguments(folders, question, typed.out, formats, typed.watch, typed.every)


def _columns(option: str, typed: str | None) -> tuple[str, ...]:
    names = tuple(key.strip() for key in (typed or "").split(",") if key.strip())
    if typed is not None and not names:
        raise UserError(f"{option} {typed!r}: a column is needed, or several with commas between")
    return names


def _formats(typed: str) -> tuple[str, ...]:
    if typed == "none":
        return ()
    names = FORMATS if typed == "all" else tuple(name.strip() for name in typed.split(","))
    for name in names:
        if name not in FORMATS:
            if name in ("all", "none"):
                raise UserError(f"--format {typed}: {name} stands alone")
            raise unknown("--format", name, [*FORMATS, "all", "none"])
    return names


class Parser(argparse.ArgumentParser):
    """Complains in one line, with the nearest option."""

    def error(self, message: str) -> NoReturn:
        typed = message.partition("unrecognized arguments: ")[2].split(" ")[0]
        options = [name for action in self._actions for name in action.option_strings]
        near = get_close_matches(typed, options, n=1, cutoff=0.5)
        raise UserError(f"{message}{f'. Did you mean {near[0]}?' if near else ''}")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m cnnsweep.report",
        description="Compare all runs below some folders: which is best, by how much, is it real, "
        "what did it cost. Needs neither torch nor a network.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("folder", nargs="*", metavar="FOLDER", help="default: outputs and multirun")
    add("--by", metavar="COLUMN,...",
        help="columns that make the groups "
        "(default: model, and every setting that differs)")  # fmt: skip
    add("--best-of", metavar="COLUMN,...",
        help="of each group, only the best values of these columns on validation")  # fmt: skip
    add("--metric", default=_DEFAULT.metric,
        help="the metric that decides (default: test_accuracy, else val_accuracy)")  # fmt: skip
    add("--where", action="append", default=[*_DEFAULT.where], metavar="CONDITION",
        help="only runs with 'model=resnet', 'optim.lr<0.1' …; may be repeated")  # fmt: skip
    add("--top", type=int, default=_DEFAULT.top, metavar="N",
        help="how many of the best runs are listed (default: %(default)s)")  # fmt: skip
    add("--baseline", default=_DEFAULT.baseline, metavar="GROUP",
        help="compare each group with this one only")  # fmt: skip
    add("--margin", type=float, metavar="X",
        help="a difference that does not matter, in points (or the metric's unit): "
        "also test whether groups are equivalent within it")  # fmt: skip
    add("--interval", choices=("t", "bootstrap"), default=_DEFAULT.interval,
        help="kind of 95 %% interval (default: %(default)s)")  # fmt: skip
    add("--images", type=path_with_home, metavar="DIR",
        help="data.root of MNIST and its like: show the images got wrong")  # fmt: skip
    add("--out", type=path_with_home, metavar="DIR",
        help=f"for the files (default: {REPORT}/ in the one folder given, else here)")  # fmt: skip
    add("--format", default=",".join(DEFAULT_FORMATS), metavar="NAME,...",
        help=f"files: {', '.join(FORMATS)}, all or none (default: %(default)s); "
        "json alone goes to standard output")  # fmt: skip
    add("--watch", action="store_true", help="rebuild while runs come in, until Ctrl-C")
    add("--every", type=float, default=5.0, metavar="SECONDS",
        help="how often --watch looks (default: %(default)s)")  # fmt: skip
    return parser
