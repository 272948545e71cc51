"""A loop that tells its images a second, epoch by epoch, until it is killed.

``python -m benchmarks.contention_loop article|bare MODEL FOLDER IMAGES BATCH_SIZE`` — with torch's
default threads: the articles' loop, or a bare loop over resident tensors.
"""

import sys
from pathlib import Path
from time import perf_counter

from benchmarks.contestants import Case, article_epoch, bare_epoch


def main() -> None:
    """Train for ever."""
    kind, model, folder, images, batch_size = sys.argv[1:]
    case = Case(
        model, "channels_last", "float32", int(batch_size), int(images), "cpu", Path(folder)
    )
    epoch = article_epoch(case, workers=0) if kind == "article" else bare_epoch(case)
    while True:
        began = perf_counter()
        epoch()
        print(f"{case.images / (perf_counter() - began):.0f} images/s", flush=True)


if __name__ == "__main__":
    main()
