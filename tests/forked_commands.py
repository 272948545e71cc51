"""The real command line in children of one process that has loaded what is slow to load.

Each child is forked before anything of Hydra's or torch's has run, and calls the entry point of
``python -m cnnsweep``. What its objects got is written into ``built.json`` of its folder.
"""

import contextlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from tests.command import REPOSITORY, environment

BUILT = "built.json"


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


class Commands:
    """Runs commands one after the other."""

    def __init__(self, server: "subprocess.Popen[str]") -> None:
        self._server = server

    def run(self, words: Sequence[str], cwd: Path) -> Ended:
        """Run one in a folder, to its end."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps([list(words), str(cwd)]) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        out, err = ((cwd / name).read_text(errors="replace") for name in (".out", ".err"))
        for name in (".out", ".err"):
            (cwd / name).unlink()
        return Ended(code, out, err)


@contextlib.contextmanager
def forked_commands(**more: str) -> Iterator[Commands]:
    """A process that runs commands, until the block ends; ``more`` is set in its environment."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=REPOSITORY,
        env=environment(**{"PYTHONPATH": str(REPOSITORY)} | more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield Commands(server)  # leaving closes its input, at which it ends


def _serve() -> None:
    for name in ("run", "sweep.controller", "cli"):
        import_module(f"cnnsweep.{name}")
    for line in sys.stdin:
        words, folder = json.loads(line)
        child = os.fork()
        if child == 0:
            _be(words, Path(folder))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _be(words: list[str], folder: Path) -> None:
    """Be the command; ends this process as Python would."""
    os.chdir(folder)
    for name, number in ((".out", 1), (".err", 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["cnnsweep", *words]
    code: Any = 0
    try:
        _look_at_what_is_built()
        from cnnsweep.cli import main

        main()
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:  # noqa: BLE001 - a child must never go on as its parent
        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def _look_at_what_is_built() -> None:
    """Have a run note what its parts got, beside its files."""
    from hydra.core.hydra_config import HydraConfig

    of_a_run: Any = import_module("cnnsweep.run")
    make = of_a_run.make_trainer

    def noting(*arguments: Any) -> Any:
        trainer = make(*arguments)
        folder = Path(HydraConfig.get().runtime.output_dir)
        (folder / BUILT).write_text(json.dumps(_facts(trainer), default=str))
        return trainer

    of_a_run.make_trainer = noting


def _facts(trainer: Any) -> dict[str, Any]:
    """By the key of the config that must have brought it."""
    step = trainer.step
    rates = dict(step.optimizer.param_groups[0])
    facts = {f"optim.{k}": v for k, v in rates.items() if k not in ("params", "lr", "initial_lr")}
    facts["optim.lr"] = rates.get("initial_lr", rates["lr"])
    facts |= {
        "grad_clip": step.grad_clip, "l1": step.l1, "seed": trainer.seed, "epochs": trainer.epochs,
        "data.batch_size": vars(trainer.train)["_batch_size"],
    }  # fmt: skip
    if hasattr(trainer.loss, "label_smoothing"):
        facts["loss.label_smoothing"] = trainer.loss.label_smoothing
    facts["model.dropout"] = sorted({m.p for m in trainer.model.modules() if hasattr(m, "p")})
    return facts


if __name__ == "__main__":
    _serve()
