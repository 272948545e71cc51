"""Steps that are captured once, as a CUDA graph, and replayed: no kernel is launched by Python.

A step that can be captured takes no arguments, returns nothing, and reads and writes nothing but
tensors that stay where they are. It must not read a tensor's value in Python, copy from memory of
the CPU, or have shapes that depend on values. Whatever it takes from Python (a number, the way of
an ``if``, a counter) is fixed at the capture: a replay runs none of its Python. What draws at
random on the device draws anew in each replay; what draws on the CPU would be frozen, and is found
out while the first steps run eagerly.
"""

import logging
import random
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch

from cnnsweep.errors import on_one_line

log = logging.getLogger(__name__)


class Graph(Protocol):
    """What runs a step, records it without executing it, and executes what was recorded."""

    def eagerly(self, step: Callable[[], None]) -> None:
        """Run a step as it must be run before it can be captured."""

    def capture(self, step: Callable[[], None]) -> None:
        """Record a step; none of its work on the device is done.

        Raises whatever makes the step impossible to record; the device is as it was before then.
        """

    def replay(self) -> None:
        """Do the work that was recorded."""

    def release(self) -> None:
        """Give back the memory of what was recorded; it is not replayed any more."""


class CapturedSteps:
    """Runs a step over and over: some times eagerly, then captured.

    Every :meth:`run` is one step, done once, by whatever means. ``why_eager`` says in words why
    steps stay eager for good; None while they are captured, or may be.
    """

    def __init__(
        self,
        step: Callable[[], None],
        device: torch.device,
        *,
        warm_ups: int,
        make_graph: Callable[[], Graph],
        fixed: Callable[[], object] = lambda: None,
    ) -> None:
        """``warm_ups``, 1 or more, are run eagerly before the capture.

        ``fixed`` gives what a captured step has fixed, to be compared with ``==`` by
        :meth:`settle`.
        """
        self.step = step
        self.why_eager: str | None = None
        self._device = device
        self._warm_ups = warm_ups
        self._make_graph = make_graph
        self._read_fixed = fixed
        self._graph: Graph | None = None
        self._fixed: object = None

    def run(self) -> None:
        """Do the next step."""
        if self.why_eager is not None:
            self.step()
        elif self._graph is not None:
            self._graph.replay()
        elif self._warm_ups > 0:
            self._warm_up()
        else:
            self._capture()

    def settle(self) -> None:
        """Have the step captured anew where what the captured one has fixed is something else."""
        if self._graph is not None and self._fixed != self._read_fixed():
            self.release()

    def release(self) -> None:
        """Give back the memory of the captured step; another :meth:`run` would begin anew."""
        if self._graph is not None:
            self._graph.release()
            self._graph = None
            self._warm_ups = 1

    def stay_eager(self, why: str) -> None:
        """Run all further steps eagerly; says so in the log."""
        self.why_eager = why
        self.release()
        log.warning("steps are not captured as a CUDA graph: %s", why)

    def _warm_up(self) -> None:
        before = _drawn_from(self._device)
        self._make_graph().eagerly(self.step)
        self._warm_ups -= 1
        drawn = _changed(before, _drawn_from(self._device))
        if drawn is not None:
            self.stay_eager(f"they draw on the CPU, from {drawn}, which a graph would repeat")

    def _capture(self) -> None:
        graph = self._make_graph()
        before = _drawn_from(self._device)
        try:
            graph.capture(self.step)
        except Exception as error:  # noqa: BLE001 — a step that is really wrong says so once more
            why = on_one_line(error)
        else:
            drawn = _changed(before, _drawn_from(self._device))
            if drawn is None:
                self._fixed = self._read_fixed()
                self._graph = graph
                graph.replay()
                return
            why = f"they draw on the CPU, from {drawn}, which a graph would repeat"
        _restore(before)
        self.stay_eager(why)
        self.step()


_States = dict[str, Any]


def _drawn_from(device: torch.device) -> _States:
    """The states of the generators whose draws a graph on this device would repeat."""
    states: _States = {"Python's random": random.getstate(), "NumPy": np.random.get_state()}
    if device.type != "cpu":
        states["torch's generator of the CPU"] = torch.get_rng_state()
    return states


def _changed(before: _States, after: _States) -> str | None:
    for name, state in before.items():
        if not _same(state, after[name]):
            return name
    return None


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return all(map(_same, one, other))
    return bool(np.array_equal(one, other))


def _restore(states: _States) -> None:
    random.setstate(states["Python's random"])
    np.random.set_state(states["NumPy"])
    if "torch's generator of the CPU" in states:
        torch.set_rng_state(states["torch's generator of the CPU"])
