"""A training pass whose steps are captured as graphs."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from cnnsweep.training.epoch import EpochMetrics, OnBatch
from cnnsweep.training.graph.static_step import StaticStep
from cnnsweep.training.graph.steps import CapturedSteps, Graph

_WARM_UPS = 3  # as torch advises: libraries choose their kernels in the first calls


class GraphedEpoch:
    """Goes over a training split as :func:`cnnsweep.training.epoch.run_epoch` does, by graphs.

    The last, smaller batch has a graph of its own. ``why_eager`` says in words why the steps are
    eager instead, for good; None while they are captured, or will be.

    What cannot be captured, in a model, loss or augmentation of one's own: reading a tensor's
    value in Python (`.item()`, `if tensor:`), shapes that depend on values, copies from the CPU.
    Such steps are found out at the capture, and those that draw on the CPU before it. What cannot
    be found out: a number that Python code changes from step to step, as a counter in a `forward`,
    stays as it was at the capture, and a copy from the CPU that does not block
    (`non_blocking=True`) copies what is there by then.
    """

    def __init__(self, one: StaticStep, make_graph: Callable[[], Graph]) -> None:
        self.why_eager: str | None = None
        self._one = one
        split = one.split
        self._steps = {
            size: CapturedSteps(
                one.of_size(size),
                one.device,
                warm_ups=warm_ups,
                make_graph=make_graph,
                fixed=one.fixed,
            )
            for size, warm_ups in warm_ups_of(split.images, split.batch_size).items()
        }
        if one.optimizer.why_not is not None:
            self._stay_eager(one.optimizer.why_not)

    def run(self, on_batch: OnBatch | None) -> EpochMetrics:
        """Train one epoch, as `run_epoch` with the same model, loss and step."""
        started = perf_counter()
        one, split, schedule = self._one, self._one.split, self._one.step.schedule
        one.begin()
        for steps in self._steps.values():
            steps.settle()
        numbers = one.optimizer.numbers()
        done = 0
        while done < split.images:
            one.optimizer.fill()
            size = min(split.batch_size, split.images - done)
            self._do(self._steps[size])
            schedule.batch_ended()
            done += size
            if on_batch is not None:
                on_batch(done, one.loss_sum, one.right)
            if schedule.interval == "batch" and self.why_eager is None:
                self._check(numbers)
        loss_mean, accuracy = one.loss_sum.item() / done, one.right.item() / done
        return EpochMetrics(loss_mean, accuracy, done, perf_counter() - started, [], [])

    def close(self) -> None:
        """Give back the graphs and their memory."""
        for steps in self._steps.values():
            steps.release()

    def _do(self, steps: CapturedSteps) -> None:
        if self.why_eager is None:
            steps.run()
            if steps.why_eager is not None:
                self.why_eager = steps.why_eager
                self.close()
        else:
            steps.step()

    def _check(self, before: list[dict[str, Any]]) -> None:
        """A schedule may change more than learning rates, such as the momentum."""
        pairs = list(zip(before, self._one.optimizer.numbers(), strict=True))
        changed = {key for then, now in pairs for key in now if now[key] != then.get(key)}
        if changed:
            names = ", ".join(sorted(changed))
            self._stay_eager(f"the schedule changes {names} at each batch, which a graph fixes")

    def _stay_eager(self, why: str) -> None:
        next(iter(self._steps.values())).stay_eager(why)
        self.why_eager = why
        self.close()


def warm_ups_of(images: int, batch_size: int) -> dict[int, int]:
    """By the sizes of an epoch's batches, how many steps are to be run before the capture."""
    sizes = {batch_size: _WARM_UPS}
    if (rest := images % batch_size) > 0:
        sizes[rest] = 1
    return sizes
