"""Passwords in URLs are masked, whatever they hold; all else stays as it is."""

import pytest

from cnnsweep.secret import masked

MASKED = {
    "hydra.sweeper.storage=postgresql://user:SECRET@host/db": (
        "hydra.sweeper.storage=postgresql://user:***@host/db"
    ),
    "postgresql+psycopg://u:a@b:c@h:5432/db?x=1": "postgresql+psycopg://u:***@h:5432/db?x=1",
    "postgresql://h/db?user=a&password=SECRET&x=2": "postgresql://h/db?user=a&password=***&x=2",
    "'postgresql://user:SECRET@host/db' and so on": "'postgresql://user:***@host/db' and so on",
}
KEPT = ("grpc://host:13000", "sqlite:////a/b.db", "${oc.env:CNNSWEEP_STORAGE}", "optim.lr=0.1")


@pytest.mark.parametrize("text", MASKED)
def test_a_password_is_masked(text: str) -> None:
    assert masked(text) == MASKED[text]


@pytest.mark.parametrize("text", KEPT)
def test_what_holds_no_password_stays(text: str) -> None:
    assert masked(text) == text
