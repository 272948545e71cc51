"""The course of a sweep: from its first trial to its last confirmation run."""

import time
from collections.abc import Callable

from optuna.trial import TrialState

from cnnsweep.sweep.display import Display
from cnnsweep.sweep.hosts import Woken
from cnnsweep.sweep.jobs import CONFIRM
from cnnsweep.sweep.loop import work
from cnnsweep.sweep.patience import Patience
from cnnsweep.sweep.peers import Peers
from cnnsweep.sweep.pool import Pool
from cnnsweep.sweep.results import are_written
from cnnsweep.sweep.search import Search

_STOP_SECONDS = 3.5  # a person who pressed Ctrl-C waits less than 5 s in all


def run(
    searches: list[Search],
    open_pool: Callable[[], Pool],
    trial_timeout: float | None,
    peers: Peers,
    patience: Patience,
    display: Display,
) -> None:
    """Run all trials; one launch of several then runs the confirmations."""
    while True:
        try:
            _run(searches, open_pool(), trial_timeout, peers, patience, display)
        except Woken as woken:
            display.say(f"{woken}; it joins again as a new host")
            for search in searches:
                search.forget()
            peers.rejoin()
        else:
            return


def _run(
    searches: list[Search],
    pool: Pool,
    trial_timeout: float | None,
    peers: Peers,
    patience: Patience,
    display: Display,
) -> None:
    try:
        for search in searches:
            _take_up(search, peers, display)
        work(searches, pool, trial_timeout, patience, display)
        peers.begin_finishing([search.plan.folder / CONFIRM for search in searches])
        for search in searches:
            search.may_confirm = peers.is_alone or not are_written(searches)
        work(searches, pool, trial_timeout, patience, display)
    except Woken:
        _kill(pool)
        raise
    except BaseException:
        display.say("stopping: running trials keep their last whole epoch")
        pool.close(grace=_STOP_SECONDS, stop=True)
        raise
    finally:
        patience.meanwhile = time.sleep
    pool.close(grace=_STOP_SECONDS, stop=False)


def _take_up(search: Search, peers: Peers, display: Display) -> None:
    """Among several launches a search seeks for trials left behind as it goes."""
    states = [trial.state for trial in search.study.get_trials(deepcopy=False)]
    running = states.count(TrialState.RUNNING)
    left = search.take_up() if peers.is_alone else 0
    if len(states) > 1:
        place = f"{search.plan.place}: " if search.plan.place else ""
        now = f"{left} taken up again" if peers.is_alone else f"{running} running"
        over = f"{len(states) - running} of {search.plan.n_trials} trials are over"
        display.say(f"{place}going on: {over}, {now}")


def _kill(pool: Pool) -> None:
    """End the workers before they touch a trial that may be another host's by now."""
    for slot in pool.busy_slots():
        pool.kill(slot, "its host was taken for gone")
    pool.close(grace=0.0, stop=True)
