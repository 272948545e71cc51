"""Times as a person reads them, in sweeps and in reports."""


def duration(seconds: float) -> str:
    """``1 h 05 min``, ``3 min 20 s``, ``12 s``; below one second ``0.35 s``."""
    if 0 < seconds < 1:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
