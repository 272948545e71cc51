"""The charts as files for slides."""

import re
from collections.abc import Sequence
from pathlib import Path

from cnnsweep.folders.run_folder import write_whole
from cnnsweep.report.charts.all_charts import Section


def write_pictures(
    sections: Sequence[Section], folder: Path, kinds: Sequence[str]
) -> list[tuple[str, str]]:
    """Write each chart in each kind; path (from the report) and caption of the first kind."""
    # matplotlib takes most of a second to import, and few reports need it.
    from cnnsweep.report.charts.matplotlib_backend import as_picture

    folder.mkdir(parents=True, exist_ok=True)
    written: list[tuple[str, str]] = []
    for chart in (chart for section in sections for chart in section.charts):
        name = _file_name(chart.slug, {Path(path).stem for path, _ in written})
        for kind in kinds:
            content = as_picture(chart, kind)
            write_whole(folder / f"{name}.{kind}", content)
        written.append((f"{folder.name}/{name}.{kinds[0]}", f"{chart.title}. {chart.caption}"))
    return written


def _file_name(slug: str, taken: set[str]) -> str:
    """Letters, digits and dashes only, and no name twice."""
    base = re.sub(r"[^A-Za-z0-9_]+", "-", slug).strip("-")[:80] or "chart"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name
