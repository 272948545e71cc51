"""Times and bytes no more exact than they are known."""

_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def about(seconds: float) -> str:
    """``about 40 s``, ``about 3 min 30 s``, ``about 25 min``, ``about 2 h 30 min``."""
    if seconds < 57.5:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    minutes = seconds / 60
    if minutes < 4.75:
        half = round(2 * minutes)
        return f"about {half // 2} min{' 30 s' if half % 2 else ''}"
    if minutes < 57.5:
        return f"about {round(minutes) if minutes < 15 else 5 * round(minutes / 5)} min"
    if minutes < 585:
        parts = round(minutes / (15 if minutes < 225 else 30)) * (15 if minutes < 225 else 30)
        return f"about {parts // 60} h{f' {parts % 60} min' if parts % 60 else ''}"
    return f"about {round(minutes / 60)} h"


def size(count: float) -> str:
    """``12 MB``: two digits."""
    for unit, factor in _UNITS:
        if count >= factor:
            amount = count / factor
            return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"
    return f"{count:.0f} bytes"
