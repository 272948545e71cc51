"""What searches had of others before their first trial."""

from pathlib import Path
from random import Random

import pytest
import yaml

from cnnsweep.folders.sweep_folder import IS_DEFAULT, POINT
from tests.diff.compared import compared, printed
from tests.report.made_sweeps import make_sweep
from tests.sweep.sweep_commands import study


@pytest.mark.parametrize("seed", range(6))
def test_what_searches_were_given_is_told_and_is_a_difference(seed: int, tmp_path: Path) -> None:
    draw = Random(seed)
    known = {f"/sweeps/{n}": draw.randint(1, 30) for n in range(draw.randint(0, 2))}
    points, more = draw.randint(0, 2), draw.choice([0, 4])
    for name in ("a", "b"):
        folder = make_sweep(tmp_path / name / "resnet", "resnet", 6, confirm=1)
        file = folder / "optimization_results.yaml"
        results = yaml.safe_load(file.read_text()) | {"default_trial": None}
        if name == "b":
            results |= {"warm_start": known} | ({"points_of": more} if more else {})
            for number in range(points):
                study(folder, "resnet").enqueue_trial({"optim.lr": 0.1 + number / 10})
        file.write_text(yaml.safe_dump(results))
    is_given = bool(known or points or more)
    found = compared(tmp_path / "a", tmp_path / "b")
    assert (found["different"], found["a"]["given"]) == (is_given, [])
    (one,) = found["b"]["given"] or [None]
    if one is not None:
        assert one == {
            "search": "resnet", "warm_start": known, "points": points, "points_of": more,
        }  # fmt: skip
    said = " ".join(printed("a", "b", cwd=tmp_path).split())
    assert ("Given beforehand in A: nothing." in said) == is_given
    assert ("(warm start)" in said) == bool(known)
    for place, number in known.items():
        counted = "1 trial" if number == 1 else f"{number} trials"
        assert f"{counted} of {place.strip('/')}" in said.replace("//", "/")
    assert ("given and tried first" in said) == bool(points)
    assert (f"chosen among {more} more trials" in said) == bool(more)
    assert ("by compute, time or trials are not fair" in said) == bool(known)


@pytest.mark.parametrize("is_among", [False, True])
def test_the_default_config_counts_as_a_point_where_it_was_given_as_one(
    is_among: bool, tmp_path: Path
) -> None:
    folders = [make_sweep(tmp_path / name / "resnet", "resnet", 6, confirm=1) for name in "ab"]
    search = study(folders[1], "resnet")
    results = {"default_trial": len(search.get_trials(deepcopy=False))}
    file = folders[1] / "optimization_results.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | results))
    marks = {IS_DEFAULT: True} | ({POINT: 0} if is_among else {})
    search.enqueue_trial({"optim.lr": 0.1}, user_attrs=marks)
    search.enqueue_trial({"optim.lr": 0.2}, user_attrs={POINT: int(is_among)})
    (one,) = compared(tmp_path / "a", tmp_path / "b")["b"]["given"]
    assert one["points"] == 1 + is_among
