"""Several searches of one space: what they come to together, and how a later launch has more."""

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev

from cnnsweep.errors import OverInVain, StoppedEarly, UserError, and_more
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import JOURNAL, SEARCH, numbered
from cnnsweep.sweep.journal.theirs import ERROR, ours
from cnnsweep.sweep.launch.ending import command_again
from cnnsweep.sweep.spec.jobs import SEEDS_OF_A_SEARCH
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.study.confirmation import winner
from cnnsweep.sweep.study.intake import Intake
from cnnsweep.sweep.study.search import Search
from cnnsweep.task.command_again import shell_line
from cnnsweep.task.folder_lines import folder_word

KEY = "hydra.sweeper.searches"


def lines_over_searches(choice: str, searches: Sequence[Search]) -> Iterator[str]:
    """A line on the searches of one choice: their mean, and how far chance takes them.

    The deviation between searches is that of their means, in which the seeds have their part; the
    one of seeds within a search is pooled over the searches.
    """
    from cnnsweep.report.stats.intervals import pooled_variance  # SciPy: once runs are over

    subject = f"{choice} over {len(searches)} searches" if choice else f"{len(searches)} searches"
    tested = [runs for one in searches if (runs := one.confirmation.test_metrics())]
    metric = searches[0].plan.objectives[0]
    if tested and searches[0].confirmation.wanted:
        means = [fmean(runs) for runs in tested]
        (variance, _), count = pooled_variance(tested), sum(map(len, tested))
        name = searches[0].confirmation.metric()
        line = f"{subject}: {name} {fmean(means):.4f}, the mean of their means"
        line += _between(means)
        if variance is not None:
            line += f", of seeds within a search {math.sqrt(variance):.4f}"
        yield f"{line} ({count} confirmation run{'' if count == 1 else 's'})"
        return
    best = [found.value for one in searches if (found := winner(one.study)) is not None]
    values = [float(value) for value in best if value is not None]
    if values:
        line = f"{subject}: {metric} of their best trials {fmean(values):.4f} on average"
        yield f"{line}{_between(values)}"


def _between(values: Sequence[float]) -> str:
    return f"; sd of these means {stdev(values):.4f}" if len(values) > 1 else ""


def check_searches(sweep: Path, settings: Settings, plans: Sequence[Plan]) -> None:
    """Refuse a number of searches that does not go with what the sweep folder holds.

    More searches than an earlier launch had are added to them, as more trials are.

    Raises:
        UserError: it had more, or a single one, whose trials lie where others have their searches.
    """
    wanted = settings.searches
    for folder in dict.fromkeys(sweep / plan.choice for plan in plans):
        numbers = [number for number, _ in numbered(folder, SEARCH)]
        if numbers and max(numbers) >= wanted:
            had = max(numbers) + 1
            raise UserError(
                f"{KEY}={wanted} is fewer than the {had} that {folder} has: allowed is {had} or "
                "more there, or choose another hydra.sweep.dir"
            )
        if wanted > 1 and not numbers and _has_a_search(folder):
            raise UserError(
                f"{KEY}={wanted}: {folder} was begun with a single search, whose trials lie there "
                "and not in a folder of the search: allowed is 1, or choose another hydra.sweep.dir"
            )
    runs = settings.seeds + settings.confirm
    if wanted > 1 and runs > SEEDS_OF_A_SEARCH:
        raise UserError(
            f"hydra.sweeper.seeds={settings.seeds} and confirm={settings.confirm} need {runs} "
            f"seeds, and with {KEY}={wanted} each search has {SEEDS_OF_A_SEARCH} to itself: "
            "allowed are fewer"
        )


def _has_a_search(folder: Path) -> bool:
    """Whether a search's trials, or its journal, lie in the folder itself."""
    return bool(numbered(folder, "")) or (folder / JOURNAL).exists()


def timeout_lines(searches: Sequence[Search]) -> list[str]:
    """Which searches would have gone on, and the line that lets them."""
    cut = [search.plan for search in searches if lacks_time(search)]
    if not cut:
        return []
    which = and_more([plan.subfolder for plan in cut if plan.subfolder]) or "the search"
    line = line_to_go_on(cut[0], "hydra.sweeper.timeout=null", "--multirun")
    return [f"hydra.sweeper.timeout was over before {which} had all trials; to go on:", f"  {line}"]


def line_to_go_on(plan: Plan, word: str | None = None, *flags: str) -> str:
    """What to type for more of a sweep; of another app its own command, as it was typed."""
    words = [] if word is None else [word]
    if plan.is_ours:
        return shell_line([*flags, folder_word("resume", plan.sweep), *words])
    keys = [one.partition("=")[0] for one in words]
    others = [one for one in sys.orig_argv if one.lstrip("+").partition("=")[0] not in keys]
    return command_again([*others, *words], plan.sweep, knows_resume=plan.knows_resume)


def unconfirmed(
    searches: Sequence[Search], max_rate: float
) -> tuple[list[str], StoppedEarly | None]:
    """Lines on confirmation runs that failed; an error where they are too many.

    What was searched stands. It is an error where a search has no other, or where more than
    ``max_rate`` of all failed, as it is with trials.
    """
    failed = [told for one in searches for told in one.confirmation.failed.items()]
    if not failed:
        return [], None
    wanted = sum(one.confirmation.wanted for one in searches if winner(one.study) is not None)
    runs = f"{len(failed)} of {wanted} confirmation runs failed"
    errors = and_more([f"{folder}: {error}" for folder, error in failed], between="; ")
    without = [one for one in searches if _is_without(one)]
    if not without and len(failed) <= max_rate * wanted:
        line = f"  {line_to_go_on(searches[0].plan)}"
        return [f"{runs} ({errors}), the others count; to try again:", line], None
    why = f"more than hydra.sweeper.max_failure_rate={max_rate} allows"
    if without:
        which = and_more([one.plan.subfolder for one in without if one.plan.subfolder])
        why = f"all{f' of {which}' if which else ''}"
    line = f"{runs}, {why}: {errors}"
    if searches[0].plan.is_ours:  # another app's own command ends the line
        sweep = RunFolder(searches[0].plan.sweep)
        line += f"; the search stands, and the same command with resume={sweep} tries them again"
    return [], StoppedEarly(line)


def _is_without(search: Search) -> bool:
    confirmation = search.confirmation
    return bool(confirmation.failed) and len(confirmation.failed) == confirmation.wanted


def in_vain(searches: Sequence[Search], which: str) -> OverInVain | None:
    """The error where no trial was completed and none is left to begin; None: there is one left.

    ``which``: in how many of several searches.
    """
    empty = [search for search in searches if not ours(search.study).best_trials]
    if not all(search.asker.has_all_trials() for search in empty):
        return None
    trials = [trial for search in empty for trial in ours(search.study).get_trials(deepcopy=False)]
    errors = dict.fromkeys(str(t.user_attrs[ERROR]) for t in trials if ERROR in t.user_attrs)
    plan = empty[0].plan
    more = f"hydra.sweeper.n_trials={2 * plan.n_trials} has as many new ones, and "
    if any(search.asker.is_gone_through() for search in empty):
        more = ""
    return OverInVain(
        f"{which}no trial was completed, and none is left to begin ({and_more(errors, 2)}). Failed "
        f"trials are not tried again: once that is mended, {more}another hydra.sweep.dir begins "
        "anew"
    )


def lacks_time(search: Search) -> bool:
    """Whether it would go on, had it more time.

    The clock alone does not tell: a search that came to its end may run confirmations beyond it.
    """
    parts = search.study, search.plan, search.seeds, search.asker, search.coordination
    return Intake(*parts, lambda: math.inf).has_more()
