"""What of ours a release of a library breaks, said by the test that finds it."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def breaks(what: str) -> Iterator[None]:
    """Decorates the test of a private name that ``what`` of ours needs."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"this release breaks {what}: {error!r}") from error
