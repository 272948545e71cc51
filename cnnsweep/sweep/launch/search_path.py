"""Places on Hydra's search path that are not there: Hydra warns, and goes on without them."""

import warnings
from collections.abc import Iterator

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.config_source import ConfigSource

from cnnsweep.errors import and_more

_WARNING = r"provider=hydra\.searchpath .* is not\s+available"


def typed_places(loader: ConfigLoader) -> Iterator[ConfigSource]:
    """Those that the user's configs, or command line, add to the search path."""
    sources = loader.get_sources()
    return (source for source in sources if source.provider.startswith("hydra.searchpath"))


def as_typed(place: ConfigSource) -> str:
    """A place as ``hydra.searchpath`` names it."""
    return f"{place.scheme()}://{place.path}"


def missing_places(loader: ConfigLoader) -> str | None:
    """A line on those that are not there; None where all are.

    An app may live without them, so that nothing is refused.
    """
    gone = dict.fromkeys(as_typed(one) for one in typed_places(loader) if not one.available())
    if not gone:
        return None
    them = "it" if len(gone) == 1 else "them"
    are = "is" if len(gone) == 1 else "are"
    return (
        f"hydra.searchpath names {and_more(gone)}, which {are} not there: no config is from {them}"
    )


def say_missing_places(loader: ConfigLoader) -> None:
    """Say so once: Hydra would warn again whenever it composes a job."""
    if (line := missing_places(loader)) is not None:
        print(f"warning: {line}", flush=True)
        warnings.filterwarnings("ignore", message=_WARNING)
