"""A run that says when its first epoch begins and ends: ``first_epoch_app.py SINCE WORD…``.

SINCE is ``time.time()`` when it was started. A line of JSON on standard error: the wall and the CPU
seconds until the first epoch began, and until it had ended; then the process is gone.
"""

import json
import os
import sys
import time

from cnnsweep.folders.run_folder import RunFolder

written = RunFolder.write_metrics
seen: list[tuple[float, float]] = []


def write_metrics(self: RunFolder, rows: list[dict[str, float | None]]) -> None:
    """Called before the first epoch, with no rows, and after each."""
    written(self, rows)
    used = os.times()
    cpu = used.user + used.system + used.children_user + used.children_system
    seen.append((time.time() - since, cpu))
    if len(seen) == 2:
        print(json.dumps(seen), file=sys.stderr, flush=True)
        os._exit(0)


if __name__ == "__main__":
    since = float(sys.argv[1])
    sys.argv = ["cnnsweep", *sys.argv[2:]]
    RunFolder.write_metrics = write_metrics  # type: ignore[assignment,method-assign]
    from cnnsweep.cli import main

    main()
