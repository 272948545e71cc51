"""torch's optimizers without its compiler: the same weights, and nothing of it imported."""

import subprocess
import sys
import warnings
from pathlib import Path
from pydoc import locate
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from cnnsweep.training.uncompiled import free_optimizers_of_compiler, free_step_of_compiler
from tests.command import REPOSITORY, environment

CONFIGS = sorted(path.stem for path in (REPOSITORY / "conf/optim").glob("*.yaml"))
_RUN = """
import sys
from cnnsweep.cli import main

sys.argv[1:] = [
    "model=lenet", "epochs=1", "data.train_limit=100", "pictures=false", "hydra.run.dir=run",
    f"optim={sys.argv[1]}", "scheduler=warmup_cosine",
]
main()
print("imported", "torch._dynamo" in sys.modules)
"""


@pytest.mark.parametrize("name", CONFIGS)
def test_the_weights_are_those_of_the_plain_optimizer(name: str) -> None:
    torch.testing.assert_close(
        _trained(name, freed=True), _trained(name, freed=False), rtol=0, atol=0
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_a_run_imports_no_compiler(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, name],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("imported False\n")
    assert "Warning" not in done.stderr


def test_hooks_and_schedules_see_the_step() -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    free_step_of_compiler(optimizer)
    seen: list[Any] = []
    optimizer.register_step_post_hook(lambda *arguments: seen.append(arguments[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a schedule warns of a step that it did not see
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        weight.grad = torch.ones(1)
        optimizer.step()
        schedule.step()
    assert seen == [optimizer]


def test_an_optimizer_of_ones_own_keeps_its_step() -> None:
    class Mine(torch.optim.SGD):
        steps = 0

        def step(self, closure: Any = None) -> Any:
            self.steps += 1
            return super().step(closure)

    optimizer = Mine([nn.Parameter(torch.ones(1))], lr=0.1)
    free_step_of_compiler(optimizer)
    optimizer.step()
    assert optimizer.steps == 1


def _trained(name: str, *, freed: bool) -> Tensor:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(5, 3))
    if freed:
        free_optimizers_of_compiler()
    config: dict[str, Any] = dict(OmegaConf.load(REPOSITORY / f"conf/optim/{name}.yaml"))
    kind: Any = locate(config.pop("_target_"))
    optimizer: torch.optim.Optimizer = kind([weight], **config)
    if freed:
        free_step_of_compiler(optimizer)
    for _ in range(4):
        (weight**2).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return weight.detach()
