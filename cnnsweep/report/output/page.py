"""index.html: one file with data, style and scripts in it, which opens offline."""

import base64
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from cnnsweep import __version__
from cnnsweep.folders.run_folder import write_text_whole
from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.charts.all_charts import Section
from cnnsweep.report.charts.hardest_images import hardest
from cnnsweep.report.charts.plotly_backend import as_plotly
from cnnsweep.report.output.blocks import answer_blocks
from cnnsweep.report.output.columns import are_numbers
from cnnsweep.report.output.tables import headline
from cnnsweep.report.read.escape import plain
from cnnsweep.report.stats.drawn_keys import varied_keys
from cnnsweep.report.stats.metric import maximizes, metric_names
from cnnsweep.report.stats.table import columns, rows

_PARTS = files("cnnsweep.report.output") / "page_parts"
_MOST_PROBLEMS = 200
_MOST_SETTINGS = 6  # columns of the table of runs that are shown at first
_TITLE_PARTS = 3  # of the path of a folder that lies elsewhere
PAGE = "index.html"
_RELOADS = ' data-reload="{:g}"'  # seconds
_SHORTEST = 2.0  # seconds between two reloads


@dataclass(frozen=True, slots=True)
class Watched:
    """While runs come in: when a file of theirs changed last, seconds between two looks."""

    changed: str
    every: float


def page(
    answer: Answer,
    sections: Sequence[Section],
    out: Path,
    idle: Sequence[str],
    watched: Watched | None = None,
) -> str:
    """The HTML text; links lead from ``out`` to the runs. A watched one reloads itself."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=_plain, trim_blocks=True
    )
    template = environment.from_string((_PARTS / "page.html.j2").read_text(encoding="utf-8"))
    shown = _sections(answer, sections)
    charts = [as_plotly(chart) for section in sections for chart in section.charts]
    data = _table(answer, out) | {"charts": charts}
    return template.render(
        **_texts(answer, out, idle),
        sections=shown,
        anchors=[(name.lower(), name) for name in ("Answer", "Runs")]
        + [(section["anchor"], section["title"]) for section in shown],
        data=_embedded(data),
        bundle=Markup(_bundle()) if charts else "",
        css=_part("page.css"),
        script=_part("page.js"),
        reloads=Markup(_RELOADS.format(max(watched.every, _SHORTEST)) if watched else ""),
        changed=watched.changed if watched else "",
    )


def settle(path: Path) -> None:
    """Make a page that reloads itself one that does not: nobody will write it again."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return  # none was written
    start, mark, rest = text.partition(">\n<head>")
    cut = start.rfind(_RELOADS.partition("=")[0])
    if mark and cut >= 0:
        write_text_whole(path, start[:cut] + mark + rest)


def _texts(answer: Answer, out: Path, idle: Sequence[str]) -> dict[str, Any]:
    problems = answer.gathered.problems
    blocks = answer_blocks(answer, idle)
    return {
        "title": f"Report on {', '.join(map(_title, answer.gathered.roots))}",
        "headline": headline(answer),
        "blocks": blocks,
        "links": _links(answer, blocks, out),
        "numbers": [are_numbers(block.columns, block.rows) for block in blocks],
        "failures": [
            (cause, count, str(run.folder), _link(run.folder, out))
            for cause, count, run in answer.cost.failures
        ],
        "notes": answer.notes,
        "problems": problems[:_MOST_PROBLEMS],
        "problem_count": len(problems),
        "roots": ", ".join(map(_title, answer.gathered.roots)),
        "version": __version__,
    }


def _links(answer: Answer, blocks: Sequence[Block], out: Path) -> dict[str, str]:
    """The addresses of the folders in the tables: of runs, and of sweeps by their names."""
    cells = {cell for block in blocks for row in block.rows for cell in row}
    shown = {str(run.folder): run.folder for run in answer.runs}
    shown |= {sweep.name: sweep.folder for sweep in answer.gathered.sweeps}
    return {cell: _link(shown[cell], out) for cell in cells if cell in shown}


def _title(root: Path) -> str:
    """A root without the way to this machine's folders."""
    parts = root.parts if root.parts else Path.cwd().parts[-1:]
    return "/".join(parts[-_TITLE_PARTS:] if root.is_absolute() or ".." in parts else parts)


def _sections(answer: Answer, sections: Sequence[Section]) -> list[dict[str, Any]]:
    numbers, shown = count(), []
    for section in sections:
        charts = [
            {"title": chart.title, "caption": chart.caption, "number": next(numbers)}
            for chart in section.charts
        ]
        anchor = section.title.lower().replace(" ", "-")
        hard = hardest(answer) if section.title == "Confusion" else []
        shown.append({"title": section.title, "anchor": anchor, "charts": charts, "hard": hard})
    return shown


def _table(answer: Answer, out: Path) -> dict[str, Any]:
    """The runs: cells, links, which columns are shown at first, how they are sorted."""
    names = columns(answer.runs)
    by, metric = answer.question.by, answer.metric
    first = ["folder", *by, metric.name, "val_accuracy", "seed"]
    first += varied_keys(answer.gathered.sweeps, answer.runs, by)[:_MOST_SETTINGS]
    for name in ("status", "role", "data"):
        first += [name] if len({run.value(name) for run in answer.runs}) > 1 else []
    wanted = [name for name in dict.fromkeys([*first, "epochs", "train_seconds"]) if name in names]
    return {
        "columns": names,
        "rows": [[_cell(cell) for cell in row] for row in rows(answer.runs, names)],
        "links": [_link(run.folder, out) for run in answer.runs],
        "folder": names.index("folder"),
        "command": names.index("command") if "command" in names else -1,
        "shown": [names.index(name) for name in wanted],
        "sort": names.index(metric.name) if metric.name in names else 0,
        "down": metric.maximize,
        "smaller": [names.index(n) for n in metric_names(answer.runs) if not maximizes(n)],
        "percent": [n for n in names if "acc" in n and metric.percent],
    }


def _cell(cell: object) -> object:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return plain(cell) if isinstance(cell, str) else cell


def _link(folder: Path, out: Path) -> str:
    """A relative address; ``./`` in front, so that no name can be taken for another scheme."""
    relative = os.path.relpath(os.fsencode(folder), os.fsencode(out))
    return "./" + quote(relative) + "/"


def _embedded(data: object) -> Markup:
    """JSON for a script element: nothing in it can end the element or start a comment."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _plain(value: Any) -> Any:
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _part(name: str) -> Markup:
    return Markup((_PARTS / name).read_text(encoding="utf-8"))


@cache
def _bundle() -> str:
    """plotly's script with the charts that we draw, packed: it makes nearly all of the page.

    It is npm's plotly.js-cartesian-dist-min (MIT, by Plotly), a third of the whole plotly.
    """
    return base64.b64encode((_PARTS / "plotly-cartesian.min.js.gz").read_bytes()).decode()
