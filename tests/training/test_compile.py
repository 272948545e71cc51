"""A compiled network is the same network, and goes on as one that is not compiled."""

import csv
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

from cnnsweep.training.compile import free_optimizers_of_compiler
from tests.command import REPOSITORY, TINY, cnnsweep, environment, succeeded


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_compiled_run_learns_what_the_plain_one_does(tmp_path: Path) -> None:
    for name, compiled in (("plain", "false"), ("compiled", "true")):
        done = cnnsweep(*TINY, f"compile={compiled}", f"hydra.run.dir={name}", cwd=tmp_path)
        succeeded(done)
        assert "nanobind: leaked" not in done.stderr  # Triton's, of what is not collected at exit
    plain, compiled_losses = losses(tmp_path / "plain"), losses(tmp_path / "compiled")
    assert compiled_losses == pytest.approx(plain, rel=1e-3)
    kept = torch.load(tmp_path / "compiled/best.pt", weights_only=True)["model"]
    assert kept.keys() == torch.load(tmp_path / "plain/best.pt", weights_only=True)["model"].keys()


def losses(folder: Path) -> list[float]:
    with (folder / "metrics.csv").open() as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


CONFIGS = sorted(path.stem for path in (REPOSITORY / "conf/optim").glob("*.yaml"))
_PLAIN = """
import sys
import torch
from tests.training.test_compile import CONFIGS, trained

torch.save({name: trained(name) for name in CONFIGS}, sys.argv[1])
print("imported", "torch._dynamo" in sys.modules)
"""
_RUN = """
import sys
from cnnsweep import epoch_reporter
from cnnsweep.cli import main

class Stopper:
    def epoch_ended(self, epoch, figures):
        raise KeyboardInterrupt

if sys.argv.pop(1) == "stop":
    epoch_reporter.current = Stopper()
try:
    main()
finally:
    print("imported", "torch._dynamo" in sys.modules)
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """The weights of torch's optimizers as they are, from a process that keeps them so."""
    file = tmp_path_factory.mktemp("plain") / "weights.pt"
    done = _python(_PLAIN, str(file), cwd=REPOSITORY)
    assert done.stdout == "imported True\n"  # else there is nothing to be freed of any more
    weights: dict[str, Tensor] = torch.load(file, weights_only=True)
    return weights


@pytest.mark.parametrize("name", CONFIGS)
def test_the_weights_are_those_of_the_plain_optimizer(name: str, plain: dict[str, Tensor]) -> None:
    free_optimizers_of_compiler()
    torch.testing.assert_close(trained(name), plain[name], rtol=0, atol=0)


@pytest.mark.parametrize(
    "name",
    [
        name if name in ("sgd", "adamw") else pytest.param(name, marks=pytest.mark.slow)
        for name in CONFIGS
    ],
)
def test_neither_a_run_nor_going_on_with_it_imports_the_compiler(name: str, tmp_path: Path) -> None:
    words = (
        *("model=lenet", "epochs=2", "data.train_limit=100", "pictures=false"),
        *("hydra.run.dir=run", f"optim={name}", "scheduler=warmup_cosine"),
    )
    stopped = _python(_RUN, "stop", *words, cwd=tmp_path)
    assert stopped.returncode == 130, stopped.stderr
    done = _python(_RUN, "go on", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for each in (stopped, done):
        assert each.stdout.endswith("imported False\n")
        assert "Warning" not in each.stderr


_LEFT_ALONE = """
import logging
import torch
from cnnsweep.training.compile import free_optimizers_of_compiler

logging.basicConfig(level="INFO")
before = torch.optim.SGD.step
free_optimizers_of_compiler()
print("replaced", torch.optim.SGD.step is not before)
"""


@pytest.mark.parametrize("plain", [False, True])
def test_what_is_replaced_is_logged_and_a_variable_leaves_torch_alone(
    plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNSWEEP_PLAIN_TORCH", str(int(plain)))
    done = _python(_LEFT_ALONE, cwd=REPOSITORY)
    assert done.stdout == f"replaced {not plain}\n"
    assert ("CNNSWEEP_PLAIN_TORCH=1" in done.stderr) == (not plain)


def test_a_differentiable_step_has_its_gradients() -> None:
    free_optimizers_of_compiler()
    start = torch.ones(1, requires_grad=True)
    weight = start.clone()
    optimizer = torch.optim.SGD([weight], lr=0.5, differentiable=True)
    gradient = torch.ones(1, requires_grad=True)
    weight.grad = gradient
    optimizer.step()
    weight.sum().backward()  # type: ignore[no-untyped-call]
    assert start.grad is not None
    assert gradient.grad is not None
    assert (start.grad.item(), gradient.grad.item()) == (1.0, -0.5)


def test_hooks_and_schedules_see_the_step() -> None:
    free_optimizers_of_compiler()
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    seen: list[Any] = []
    optimizer.register_step_post_hook(lambda *arguments: seen.append(arguments[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a schedule warns of a step that it did not see
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        weight.grad = torch.ones(1)
        optimizer.step()
        schedule.step()
    assert seen == [optimizer]


def test_an_optimizer_with_a_step_of_its_own_keeps_it() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1)
    taken: list[Any] = []
    optimizer.step = taken.append  # type: ignore[method-assign, assignment]
    free_optimizers_of_compiler()
    optimizer.step("mine")
    assert taken == ["mine"]


def trained(name: str) -> Tensor:
    """A weight after four steps with an optimizer of conf/optim."""
    config: dict[str, Any] = dict(OmegaConf.load(REPOSITORY / f"conf/optim/{name}.yaml"))
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(5, 3))
    kind: Any = locate(config.pop("_target_"))
    optimizer: torch.optim.Optimizer = kind([weight], **config)
    for _ in range(4):
        (weight**2).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return weight.detach()


def _python(code: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=cwd,
        env=environment(PYTHONPATH=str(REPOSITORY)),
        capture_output=True,
        text=True,
        check=False,
    )
