"""What an earlier launch of a sweep was given, whose studies have recorded it."""

from collections.abc import Sequence

from cnnsweep.dotted_keys import look_up
from cnnsweep.folders.sweep_folder import SweepFolder, numbered
from cnnsweep.rules import with_home
from cnnsweep.sweep.spec.plan import Plan


def is_launched(plan: Plan) -> bool:
    """Whether an earlier launch has opened the study; the sweep's config alone may be our own."""
    return SweepFolder(plan.folder).journal.exists() or bool(numbered(plan.folder, ""))


def given_before(plans: Sequence[Plan], key: str) -> tuple[str, ...]:
    """The paths that an earlier launch had for a sweeper's key, one or a list; () without one."""
    if not any(map(is_launched, plans)):
        return ()
    typed = look_up(SweepFolder(plans[0].sweep).read_config() or {}, key) or ()
    return tuple(map(with_home, [typed] if isinstance(typed, str) else typed))
