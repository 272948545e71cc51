"""Passwords in URLs are masked, whatever they hold; all else stays as it is."""

import sys

import pytest
from hydra.errors import OverrideParseException

from cnnsweep.config.error_messages import error_line
from cnnsweep.redact import masked, masked_word

PASSWORDS = (
    *("SECRET", "pa'ss", 'pa"ss', "pa ss", "a@b:c", "a/b", "a?b=c", "://x", "a#b", "[x]", "a\\b"),
    *('it\'s a "b"', "p%40ss", "***", "a\nb", "$(x)", "p\N{LATIN SMALL LETTER U WITH DIAERESIS}"),
)
WORDS = (
    "hydra.sweeper.storage=postgresql://user:{}@host/db",
    "postgresql+psycopg://u:{}@h:5432/db?x=1",
    "postgresql://me@there:{}@h/db",
    "hydra.sweeper.storage='postgresql://u:{}@h/db'",
)
KEPT = (
    *("grpc://host:13000", "sqlite:////a/b.db", "${oc.env:CNNSWEEP_STORAGE}", "optim.lr=0.1"),
    *("postgresql://user@host/db", "optim@model.optim=adam", "model.name='x'"),
)


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("word", WORDS)
def test_a_password_of_any_characters_is_masked_and_nothing_else(word: str, password: str) -> None:
    assert masked_word(word.format(password)) == word.format("***")


@pytest.mark.parametrize("password", ["SECRET", "a'b", 'a"b', "a b", "a@b", "a/b", "'a'"])
def test_a_password_among_a_urls_settings_is_masked(password: str) -> None:
    for url in ("postgresql://h/db?user=a&password={}&x=2", "postgresql://h/db?sslpassword={}"):
        assert masked_word(url.format(password)) == url.format("***")
        assert masked_word(f"storage='{url.format(password)}'") == f"storage='{url.format('***')}'"


@pytest.mark.parametrize("text", KEPT)
def test_what_holds_no_password_stays(text: str) -> None:
    assert masked_word(text) == masked(text) == text


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_known_password_is_found_wherever_it_stands(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"postgresql://user:{password}@host/db"
    line = " ".join(
        f"cannot open {url!r} or {url}: bad port '{password}@host' ({password})".split()
    )
    wanted = "bad port '***@host' (***)"
    assert masked(line, url).endswith(wanted)
    assert " ".join(password.split()) not in masked(line, url).replace("***", "")
    monkeypatch.setenv("CNNSWEEP_STORAGE", url)
    assert masked(line).endswith(wanted)
    monkeypatch.delenv("CNNSWEEP_STORAGE")
    monkeypatch.setattr(sys, "argv", ["cnnsweep", f"hydra.sweeper.storage={url}"])
    assert masked(line).endswith(wanted)


def test_an_unknown_password_ends_where_its_url_does() -> None:
    line = "'postgresql://user:SECRET@host/db' is not http://me:SECRET@host:5 (see x@y)"
    wanted = "'postgresql://user:***@host/db' is not http://me:***@host:5 (see x@y)"
    assert masked(line) == wanted
    assert masked("h?password=SECRET refused") == "h?password=*** refused"


def test_a_parsers_pieces_of_a_password_are_not_said() -> None:
    override = "hydra.sweeper.storage=postgresql://user:SE'CRET@host/db"
    line = error_line(OverrideParseException(override, "no viable alternative at ''CRET'"))
    assert "hydra.sweeper.storage=postgresql://user:***@host/db" in line
    assert "CRET" not in line
