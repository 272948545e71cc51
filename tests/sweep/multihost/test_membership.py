"""Hosts of a shared sweep: who lives, who is gone, and who was taken for gone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnnsweep.sweep.multihost.membership import HostExpired, HostMembership


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[HostMembership, HostMembership]]:
    hosts = HostMembership(tmp_path), HostMembership(tmp_path)
    yield hosts
    for host in hosts:
        host.leave()


def test_each_sees_the_other_until_it_leaves(pair: tuple[HostMembership, HostMembership]) -> None:
    one, other = pair
    assert (one.others(), one.is_gone(other.name), one.is_silent(other.name)) == (1, False, False)
    other.leave()
    assert (one.others(), one.is_gone(other.name), one.is_silent(other.name)) == (0, True, True)


@pytest.mark.parametrize(
    "question", [HostMembership.is_gone, HostMembership.is_silent, HostMembership.bury]
)
def test_one_that_was_buried_says_so_of_itself_and_not_of_the_living(
    pair: tuple[HostMembership, HostMembership], question: Callable[[HostMembership, str], object]
) -> None:
    buried, living = pair
    buried.file.unlink()
    with pytest.raises(HostExpired):
        question(buried, living.name)
    assert living.file.exists()
