"""Commands in forked children that note what their objects got, in ``built.json`` of the run."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.command import REPOSITORY, environment
from tests.fork_server import Ended, ForkServer

__all__ = ["BUILT", "Commands", "Ended", "forked_commands"]
BUILT = "built.json"


class Commands:
    """Runs commands one after the other."""

    def __init__(self, server: ForkServer, variables: dict[str, str]) -> None:
        self._server, self._variables = server, variables

    def run(self, words: Sequence[str], cwd: Path) -> Ended:
        """Run one in a folder, to its end."""
        before = f"{__name__}:look_at_what_is_built"
        return self._server.run("cnnsweep", words, cwd, self._variables, before=before)


@contextlib.contextmanager
def forked_commands(**more: str) -> Iterator[Commands]:
    """A process that runs commands, until the block ends; ``more`` is set in its environment."""
    variables = environment(**{"PYTHONPATH": str(REPOSITORY)} | more)
    server = ForkServer(variables)
    try:
        yield Commands(server, variables)
    finally:
        server.close()


def look_at_what_is_built() -> None:
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
        "data.batch_size": trainer.train.batch_size,
    }  # fmt: skip
    if hasattr(trainer.loss, "label_smoothing"):
        facts["loss.label_smoothing"] = trainer.loss.label_smoothing
    facts["model.dropout"] = sorted({m.p for m in trainer.model.modules() if hasattr(m, "p")})
    return facts
