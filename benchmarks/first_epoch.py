"""From the command to the first epoch, side by side with `import torch`: a part of overhead.py.

Both are measured in the process itself, up to the moment when torch is there, or the first epoch
begins or has ended (a batch of 64 of the default run's digits). So what Python takes to end counts
for neither; a command `python -c "import torch"` is a good deal longer.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
_IMPORT = (
    "import os, sys, time, json; import torch; used = os.times(); "
    "print(json.dumps([(time.time() - float(sys.argv[1]), used.user + used.system)]), "
    "file=sys.stderr, flush=True); os._exit(0)"
)
_KINDS = ("wall", "CPU")


def figures(repeats: int, environment: Mapping[str, str]) -> Iterator[tuple[str, str, list[float]]]:
    """What was measured, its unit and each value; the two take turns."""
    found: dict[str, list[Any]] = {"import": [], "begins": [], "ends": []}
    for _ in range(repeats):
        found["import"] += _moments([sys.executable, "-c", _IMPORT], [], environment)
        with TemporaryDirectory() as folder:
            words = (f"hydra.run.dir={folder}/run", "data.train_limit=64", "pictures=false")
            app = [sys.executable, str(HERE / "first_epoch_app.py")]
            begins, ends = _moments(app, words, environment)
        found["begins"].append(begins)
        found["ends"].append(ends)
    for number, kind in enumerate(_KINDS):
        torch = [moment[number] for moment in found["import"]]
        yield f"import torch, {kind} time", "s", torch
        for event in ("begins", "ends"):
            values = [moment[number] for moment in found[event]]
            yield f"command until the first epoch {event}, {kind} time", "s", values
            ratios = [value / least for value, least in zip(values, torch, strict=True)]
            yield f"the same to import torch, {kind} time", "", ratios
            yield f"the same, ratio of medians, {kind} time", "", [median(values) / median(torch)]


def _moments(
    app: list[str], words: tuple[str, ...] | list[str], environment: Mapping[str, str]
) -> list[Any]:
    done = subprocess.run(
        [*app, repr(time.time()), *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    moments: list[Any] = json.loads(done.stderr.splitlines()[-1])
    return moments
