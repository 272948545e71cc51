"""``python -m benchmarks.curves record TASK``, and ``replay FILE.csv``."""

import argparse
from pathlib import Path

from benchmarks.curves.record import TASKS, record
from benchmarks.rows import RESULTS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curves", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="train random settings to their end")
    recording.add_argument("task", choices=TASKS)
    recording.add_argument("--trials", type=int, default=130)
    recording.add_argument("--data", type=Path, help="a folder as torchvision leaves it")
    recording.add_argument("--out", type=Path, default=RESULTS / "curves")
    arguments = parser.parse_args()
    record(arguments.task, arguments.out, arguments.trials, arguments.data)


if __name__ == "__main__":
    main()
