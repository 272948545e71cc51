"""From arguments to a terminal answer and a report folder."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import write_text_whole
from cnnsweep.folders.sweep_folder import REPORT, RUNS_TABLE, SUMMARY_TABLE
from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.charts.all_charts import every_chart, tried_sweeps
from cnnsweep.report.cli import DEFAULT_FORMATS, Arguments
from cnnsweep.report.output.json_answer import report_json
from cnnsweep.report.output.page import PAGE, Watched, page, settle
from cnnsweep.report.output.terminal import show
from cnnsweep.report.output.text_files import report_md, report_tex, runs_csv, summary_csv
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.load_runs import FILE as CACHE
from cnnsweep.report.read.load_runs import gather, roots
from cnnsweep.report.stats.options import Question
from cnnsweep.report.study.study_stats import Studies
from cnnsweep.report.watching import watch

_ONLY_JSON = ("json",)
_DRAWN = {"md", "html", "png", "svg"}  # what charts or studies go into


def report(arguments: Arguments) -> None:
    """Print the answer, then write the files that were asked for; once, or until Ctrl-C."""
    only_json = arguments.formats == _ONLY_JSON
    console = _console(stderr=only_json)
    folders = roots(arguments.folders)
    if not arguments.watch:
        _report(arguments, folders, console)
        return
    out = _out(arguments)
    try:
        watch(folders, arguments.every, console, partial(_report, arguments, folders, console))
    finally:
        settle(out / PAGE)


def _out(arguments: Arguments) -> Path:
    beside = arguments.folders[0] if len(arguments.folders) == 1 else Path()
    return arguments.out or beside / REPORT


def _report(
    arguments: Arguments, folders: list[Path], console: Console, watched: Watched | None = None
) -> None:
    out, formats = _out(arguments), arguments.formats
    if formats == _ONLY_JSON:
        _report_json(arguments, folders)
        return
    found = _gathered(folders, out / CACHE if formats else None, arguments.question)
    studies = Studies(tried_sweeps(found) if _DRAWN & {*formats} else [])
    show(found, console)
    if formats:
        written = write_files(found, out, formats, studies, watched)
        console.print(f"written: {plain(str(written))}", markup=False, soft_wrap=True)


def _report_json(arguments: Arguments, folders: list[Path]) -> None:
    """To standard output and nothing else there; to a file too where a folder was named."""
    found = _gathered(folders, None, arguments.question)
    if arguments.out is not None:
        write_files(found, arguments.out, _ONLY_JSON, Studies([]))
    sys.stdout.write(report_json(found))
    sys.stdout.flush()


def write_report(folder: Path) -> tuple[Path, list[str]]:
    """The files of the default formats in ``<folder>/report``; the page's path, the answer."""
    out = folder / REPORT
    found = _gathered(roots([folder]), out / CACHE, Question())
    page = write_files(found, out, DEFAULT_FORMATS, Studies(tried_sweeps(found)))
    return page, [plain(sentence) for sentence in found.first.sentences]


def _gathered(folders: list[Path], cache: Path | None, question: Question) -> Answer:
    try:
        return answer(gather(folders, cache), question)
    except OSError as error:
        raise _unwritable(error) from error


def write_files(
    found: Answer,
    out: Path,
    formats: Sequence[str],
    studies: Studies,
    watched: Watched | None = None,
) -> Path:
    """Write the report; the path of the page, or of the folder where there is none.

    Raises:
        UserError: the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        if "csv" in formats:
            write_text_whole(out / RUNS_TABLE, runs_csv(found))
            write_text_whole(out / SUMMARY_TABLE, summary_csv(found))
        if "tex" in formats:
            write_text_whole(out / "report.tex", report_tex(found))
        if "json" in formats:
            write_text_whole(out / "report.json", report_json(found))
        if _DRAWN & {*formats}:
            _write_drawn(found, out, formats, studies, watched)
    except OSError as error:
        raise _unwritable(error) from error
    return out / PAGE if "html" in formats else out


def _write_drawn(
    found: Answer, out: Path, formats: Sequence[str], studies: Studies, watched: Watched | None
) -> None:
    facts = studies.facts(found.gathered.problems)
    idle = [f"{one.label}: {text}." for one, told in facts if (text := told.idle())]
    sections = every_chart(found, facts)
    kinds = [kind for kind in ("png", "svg") if kind in formats]
    pictures = []
    if kinds:
        # Imported here: matplotlib takes most of a second, and few reports need it.
        from cnnsweep.report.charts.matplotlib_backend import write_pictures

        charts = (chart for section in sections for chart in section.charts)
        pictures = write_pictures(charts, out / "figures", kinds)
    if "md" in formats:
        write_text_whole(out / "report.md", report_md(found, pictures, idle))
    if "html" in formats:
        write_text_whole(out / PAGE, page(found, sections, out, idle, watched))


def _unwritable(error: OSError) -> UserError:
    return UserError(f"cannot write {error.filename}: {error.strerror}; choose another --out")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """The command's own ending, where rich's would be that of an error."""
        raise BrokenPipeError


def _console(*, stderr: bool) -> Console:
    """Where the output is no terminal: 160 columns, so that lines are rarely broken."""
    console = _Console(highlight=False, stderr=stderr)
    return console if console.is_terminal else _Console(highlight=False, stderr=stderr, width=160)
