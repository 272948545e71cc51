"""How long workers stand idle: our sweeper beside Hydra's own with joblib, on the same trials.

Four workers, trials of 0.2 s and one straggler of 3 s, then the same five times as long. Idle is
the share of the workers' time, from the first task's begin to the last one's end, in which no task
ran. What Hydra does for each job (composing its config, writing .hydra/) counts as idle too; it
takes 0.1 s of a core, so longer trials show better whether anybody waits for anybody.

    python benchmarks/idle.py
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets

WORKERS, TRIALS, STRAGGLER_SECONDS, SECONDS = 4, 40, 3.0, 0.2


def task(config: DictConfig) -> float:
    """Sleep; the fifth trial is the straggler."""
    seconds = config.scale * (STRAGGLER_SECONDS if config.index == 4 else SECONDS)
    begun = time.time()
    time.sleep(seconds)
    folder = Path(HydraConfig.get().runtime.output_dir)
    (folder / "times.json").write_text(json.dumps([begun, time.time()]))
    return float(config.index)


def measure(folder: Path, *overrides: str) -> tuple[float, float]:
    """Idle share and seconds from the first trial's begin to the last one's end."""
    line = [sys.executable, __file__, "--multirun", f"hydra.sweep.dir={folder}", *overrides]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    times = [json.loads(path.read_text()) for path in folder.rglob("times.json")]
    assert len(times) == TRIALS
    span = max(end for _, end in times) - min(begun for begun, _ in times)
    return 1 - sum(end - begun for begun, end in times) / (WORKERS * span), span


def compare() -> None:
    common = (
        *("hydra/sweeper/sampler=grid", f"index=range(0,{TRIALS})"),
        *(f"hydra.sweeper.n_trials={TRIALS}", f"hydra.sweeper.n_jobs={WORKERS}"),
    )
    theirs = ("hydra/sweeper=optuna", "hydra/launcher=joblib", f"hydra.launcher.n_jobs={WORKERS}")
    ours = (f"hydra.searchpath=[file://{CONF_DIR}]", "hydra/sweeper=optuna")
    for scale in (1, 5):
        print(f"trials of {SECONDS * scale:g} s, one of {STRAGGLER_SECONDS * scale:g} s")
        compare_at(theirs, ours, (*common, f"scale={scale}"))


def compare_at(theirs: tuple[str, ...], ours: tuple[str, ...], common: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as place:
        for name, chosen in (("Hydra's own, joblib", theirs), ("cnnsweep", ours)):
            idle, span = measure(Path(place, name.split()[-1]), *chosen, *common)
            print(f"  {name:20} idle {idle:6.1%}   {span:5.1f} s for {TRIALS} trials")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        compare()
    else:
        config_path = str(Path(__file__).parent / "idle_conf")
        hydra.main(config_path, "config", execution_whitelist=allowed_targets())(task)()
