"""When failures end a sweep."""

from collections.abc import Callable

from cnnsweep.errors import StoppedEarly

IN_A_ROW = 5
DIVERGED = "Diverged"  # how the cause of a loss that became NaN or infinite begins


class NoWatch:
    """Failures end nothing: a grid runs every job."""

    def succeeded(self) -> None:
        return

    def failed(self, _cause: str, _error: str) -> StoppedEarly | None:
        return None


class FailureWatch:
    """Counts outcomes over all searches of a launch."""

    def __init__(
        self, max_rate: float, shares: Callable[[], tuple[int, int]], side_by_side: int = 1
    ) -> None:
        """``shares`` tells failed and finished trials; above ``max_rate`` they are too many.

        ``side_by_side`` trials have the same epochs at the same time: those that diverge come in a
        row however many others learn, so a row must be longer by all others of them.
        """
        self._max_rate = max_rate
        self._shares = shares
        self._cause: str | None = None
        self._in_a_row = 0
        self._most = IN_A_ROW + side_by_side - 1

    def succeeded(self) -> None:
        """A trial was completed or pruned."""
        self._cause, self._in_a_row = None, 0

    def failed(self, cause: str, error: str) -> StoppedEarly | None:
        """A trial failed, as the study was told; the error that ends the sweep, if it should.

        That is where too many have failed, or the last five (or more) for the same cause. Trials
        that diverge in a row end it only where no trial has learned: else it is their settings.
        """
        failed, finished = self._shares()  # first: it may raise TryLater, and this is called again
        self._in_a_row = self._in_a_row + 1 if cause == self._cause else 1
        self._cause = cause
        is_of_settings = cause.startswith(DIVERGED) and finished > failed
        if self._in_a_row >= self._most and not is_of_settings:
            return StoppedEarly(
                f"stopped: {self._most} trials in a row failed for the same cause, so the set-up "
                f"seems to be broken: {error}"
            )
        if failed > self._max_rate * finished:
            return StoppedEarly(
                f"stopped: {failed} of {finished} trials failed, more than "
                f"hydra.sweeper.max_failure_rate={self._max_rate} allows; the last: {error}"
            )
        return None
