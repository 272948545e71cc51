"""Which run is meant by a folder: the run itself, or a sweep's best trial."""

from pathlib import Path
from typing import Any

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder, seed_runs


def chosen_run(folder: Path) -> Path:
    """The run folder itself; of a sweep folder the best trial's, of several seeds the first.

    Raises:
        UserError: the sweep has no single best trial; names the folders to choose from.
    """
    if RunFolder(folder).config.exists():
        return folder
    sweep = SweepFolder(folder)
    results = sweep.read_results()
    if results is not None:
        return _first_seed(_best_trial(folder, results))
    if sweep.config.exists():
        raise UserError(
            f"{folder} is a grid, or a search that is not over, and has no best trial yet: "
            "name a run folder in it"
        )
    return _first_seed(folder)


def _best_trial(sweep: Path, results: dict[str, Any]) -> Path:
    if "best_folder" not in results:
        places = [
            str(solution["folder"]) if isinstance(solution, dict) else str(solution)
            for solution in results.get("solutions", [key for key in results if key != "name"])
        ]
        named = ", ".join(str(sweep / Path(place).name) for place in places)
        raise UserError(f"{sweep} has no single best trial: name one of {named}")
    if results["best_folder"] is None:
        raise UserError(f"{sweep} has no best trial: none was completed")
    # The folder as it was written may be another machine's.
    return sweep / Path(str(results["best_folder"])).name


def _first_seed(trial: Path) -> Path:
    return next((run for run in seed_runs(trial) if RunFolder(run).best.exists()), trial)
