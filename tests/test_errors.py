"""Errors as one line."""

import random

from cnnsweep.errors import UserError, one_line


def test_what_others_wrote_has_no_colours_and_is_a_few_lines_long() -> None:
    draw = random.Random(0)
    for _ in range(50):
        words = [
            draw.choice(["a", "\x1b[1mb\x1b[0m", "c\n", "\t"]) for _ in range(draw.randrange(900))
        ]
        line = one_line(RuntimeError("".join(words)))
        assert line.startswith("RuntimeError")
        assert not {"\x1b", "\n"} & {*line}
        assert len(line) <= 420


def test_our_own_are_whole() -> None:
    assert one_line(UserError("x" * 900)) == "x" * 900
    assert one_line(RuntimeError("short")) == "RuntimeError: short"
    assert one_line(RuntimeError()) == "RuntimeError"
