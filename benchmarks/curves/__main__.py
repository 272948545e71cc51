"""``python -m benchmarks.curves record TASK``, and ``replay FILE.csv``."""

import argparse
import json
from pathlib import Path

from benchmarks.curves.curves_file import BadFileError, read_curves
from benchmarks.curves.record import TASKS, record
from benchmarks.curves.replay import all_strategies, replay, terms_of
from benchmarks.rows import RESULTS, print_rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curves", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_record(commands)
    _add_replay(commands)
    arguments = parser.parse_args()
    if arguments.command == "record":
        record(arguments.task, arguments.out, arguments.trials, arguments.data)
    else:
        _replay(arguments)


def _add_record(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    recording = commands.add_parser("record", help="train random settings to their end")
    recording.add_argument("task", choices=TASKS)
    recording.add_argument("--trials", type=int, default=130)
    recording.add_argument("--data", type=Path, help="a folder as torchvision leaves it")
    recording.add_argument("--out", type=Path, default=RESULTS / "curves")


def _add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    replaying = commands.add_parser("replay", help="let strategies search among recorded curves")
    replaying.add_argument("file", type=Path, help="columns trial, epoch, value; # begins a remark")
    replaying.add_argument("--trials", type=_count, required=True, help="of each search")
    replaying.add_argument("--workers", type=_count, default=1)
    replaying.add_argument("--draws", type=_count, default=400)
    replaying.add_argument("--direction", choices=("maximize", "minimize"), default="maximize")
    replaying.add_argument("--budget", type=_share, help="freeze_thaw's, instead of its default")
    replaying.add_argument("--only", nargs="+", metavar="STRATEGY", help="instead of all")
    replaying.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _replay(arguments: argparse.Namespace) -> None:
    strategies = all_strategies(terms_of(arguments.budget))
    names = arguments.only or list(strategies)
    if unknown := [name for name in names if name not in strategies]:
        raise SystemExit(f"unknown strategy {unknown[0]}; allowed are {', '.join(strategies)}")
    try:
        curves = read_curves(arguments.file, arguments.direction)
    except BadFileError as error:
        raise SystemExit(str(error)) from error
    if len(curves) < arguments.trials:
        raise SystemExit(
            f"{arguments.file} holds {len(curves)} curves, fewer than --trials {arguments.trials}"
        )
    rows = replay(
        curves,
        {name: strategies[name] for name in names},
        trials=arguments.trials,
        workers=arguments.workers,
        draws=arguments.draws,
    )
    if arguments.json:
        print(json.dumps({"strategies": rows}, indent=1))
    else:
        print_rows(rows)


def _count(word: str) -> int:
    number = int(word) if word.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no whole number from 1")
    return number


def _share(word: str) -> float:
    try:
        share = float(word)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no share above 0 and up to 1")
    return share


if __name__ == "__main__":
    main()
