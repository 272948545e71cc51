"""Class names as a picture can show them: short, of one line, in letters that a font here has."""

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from matplotlib import font_manager, style
from matplotlib.ft2font import FT2Font

_FIRST = "DejaVu Sans"  # comes with matplotlib
_NEVER = ("Last Resort",)  # draws a box for any letter
_WIDE = ("W", "F")
# Undecodable bytes (surrogates), controls, directions, private and unassigned characters.
_SHAPELESS = ("Cs", "Cc", "Cf", "Co", "Cn")


def shown_names(classes: Sequence[str], most: int) -> list[str]:
    """A text for each class, at most ``most`` letters wide (wide letters count two).

    Undecodable bytes and control characters become "�", what is too long loses its middle. A name
    that no font here can draw is the class's number; names that come out alike are led by it.
    """
    names = [_shortened(_clean(name), most) for name in classes]
    _, missing = _fonts("".join(names))
    texts = [
        f"class {number}" if not name.strip() or missing.intersection(name) else name
        for number, name in enumerate(names)
    ]
    alike = (
        {text for text in texts if texts.count(text) > 1} if len(set(texts)) < len(texts) else ()
    )
    return [
        f"{number}: {_shortened(text, most - len(f'{number}: '))}" if text in alike else text
        for number, text in enumerate(texts)
    ]


def width(text: str) -> int:
    """Its width in letters: those of Chinese, Japanese and Korean count two, accents none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in _WIDE else 1
        for c in text
    )


@contextmanager
def plain_text(texts: Sequence[str]) -> Iterator[None]:
    """Draw with matplotlib's own settings and ``texts`` as they are written, never as formulas."""
    families, _ = _fonts("".join(texts))
    settings = {"text.parse_math": False, "text.usetex": False, "font.family": list(families)}
    with style.context(settings, after_reset=True):
        yield


def _clean(name: str) -> str:
    """One line, with "�" for each character that has no shape."""
    spaced = " ".join(name.split())
    return "".join("�" if unicodedata.category(c) in _SHAPELESS else c for c in spaced)


def _shortened(text: str, most: int) -> str:
    """The text, or its beginning and end with "…" between them."""
    if width(text) <= most:
        return text
    end = _fitting(text[::-1], (most - 1) // 2)[::-1]
    return f"{_fitting(text, most - 1 - width(end))}…{end}"


def _fitting(text: str, most: int) -> str:
    """The longest beginning that is at most ``most`` letters wide."""
    kept = ""
    for character in text:
        if width(kept + character) > most:
            break
        kept += character
    return kept


@cache
def _fonts(text: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Font families that together draw ``text``, the usual first; letters that none has."""
    missing = set(text) - {" "} - _letters(font_manager.findfont(_FIRST))
    families = [_FIRST]
    for font in _others():
        if not missing:
            break
        drawn = missing & _letters(font.fname)
        if drawn and font.name not in families:
            if font not in font_manager.fontManager.ttflist:
                font_manager.fontManager.addfont(font.fname)
            families.append(font.name)
            missing -= drawn
    return tuple(families), frozenset(missing)


def _others() -> Iterator[font_manager.FontEntry]:
    """The plain fonts of this machine, matplotlib's own list first: it may be older than a font."""
    known = sorted(font_manager.fontManager.ttflist, key=lambda font: (font.name, font.fname))
    yield from (font for font in known if _is_plain(font))
    for file in sorted(set(font_manager.findSystemFonts()) - {font.fname for font in known}):
        try:
            font = font_manager.ttfFontProperty(FT2Font(file))
        except (OSError, RuntimeError):
            continue
        if _is_plain(font):
            yield font


def _is_plain(font: font_manager.FontEntry) -> bool:
    is_regular = font.style == "normal" and str(font.weight) in ("400", "normal", "regular")
    return is_regular and not font.name.startswith(_NEVER)


@cache
def _letters(file: str) -> frozenset[str]:
    """The letters that a font file draws; none for one that holds pictures of fixed size."""
    try:
        font = FT2Font(file)
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()
