"""``python -m cnnsweep.export RUN_FOLDER``: a trained network as one file that runs elsewhere."""

import argparse
import sys

from cnnsweep.config.error_messages import error_line
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import ONNX, PROGRAM
from cnnsweep.process import postpone_collection
from cnnsweep.rules import path_with_home


def main() -> None:
    """The command line; exits with 0, or with 1 and one line on what to change."""
    parser = argparse.ArgumentParser(prog="python -m cnnsweep.export", description=__doc__)
    parser.add_argument(
        "folder",
        type=path_with_home,
        help="a run folder, or a sweep's: its winner, or its best job, is taken",
    )
    parser.add_argument(
        "--format",
        choices=("onnx", "torch"),
        default="onnx",
        help="onnx, or torch for the program that torch.export.load reads (default: onnx)",
    )
    parser.add_argument(
        "--out",
        type=path_with_home,
        help=f"the file (default: {ONNX} or {PROGRAM} in the run folder)",
    )
    parser.add_argument(
        "--opset", type=int, help="version of ONNX's operators (default: the one torch prefers)"
    )
    arguments = parser.parse_args()
    try:
        # Only now: --help and a mistyped option should not wait for torch.
        from cnnsweep.export.export import export

        export(arguments.folder, arguments.format, out=arguments.out, opset=arguments.opset)
    except (UserError, OSError) as error:
        sys.exit(error_line(error))


if __name__ == "__main__":
    postpone_collection()
    main()
