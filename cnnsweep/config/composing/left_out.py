"""The lines that say which keys are left out of the jobs whose choices do not have them."""

from collections.abc import Iterable, Mapping, Sequence

from cnnsweep.redact import masked_word


def left_out_lines(
    typed: Mapping[str, Sequence[str]],
    groups: Sequence[str],
    lacking: Mapping[tuple[str, ...], Iterable[str]],
) -> list[str]:
    """A line for each key that some combinations of choices do not have.

    ``typed`` holds the words of each key, one a value; ``lacking`` the keys that each combination
    lacks, a word ``group=option`` for each of ``groups``.
    """
    lines = []
    for key, (first, *more) in typed.items():
        without = [choices for choices, absent in lacking.items() if key in absent]
        if without:
            word = ",".join((first, *(one.partition("=")[2] for one in more)))
            having = [choices for choices in lacking if choices not in without]
            lines.append(f"{masked_word(word)} is {_where(groups, having, without)}")
    return lines


def _where(
    groups: Sequence[str], having: list[tuple[str, ...]], without: list[tuple[str, ...]]
) -> str:
    for place, group in enumerate(groups):
        some, others = (dict.fromkeys(c[place] for c in listed) for listed in (having, without))
        if not some.keys() & others.keys():
            verb = "has" if len(others) == 1 else "have"
            return (
                f"set for {group}={_options(some)}, and left out for {group}={_options(others)}, "
                f"which {verb} no such key"
            )
    return (
        f"left out for {len(without)} of {len(having) + len(without)} combinations of choices, "
        "which have no such key"
    )


def _options(words: Iterable[str]) -> str:
    return ",".join(word.partition("=")[2] for word in words)
