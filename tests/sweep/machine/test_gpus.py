"""GPUs, shared out among workers."""

from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.sweep.machine.gpus import Gpu, devices_of_slots, gpus_of_workers, visible_gpus
from tests.sweep.sweep_commands import TOY, sweep


@pytest.mark.parametrize(
    ("visible", "typed", "slots"),
    [
        ((), None, [None, None, None]),
        (("3", "5"), None, ["3", "5", "3"]),
        (("3", "5"), [0, 1, 1], ["3", "5", "5"]),
        ((), [2], ["2", "2", "2"]),
    ],
)
def test_workers_take_devices_in_turn(
    visible: tuple[str, ...], typed: list[int] | None, slots: list[str | None]
) -> None:
    assert devices_of_slots(typed, visible, 3) == slots


@pytest.mark.parametrize(
    ("devices", "share_one", "sharing"),
    [
        (["0", "1", "2"], False, [1, 1, 1]),
        (["0", "1", "0", "1", "0"], False, [3, 2, 3, 2, 3]),
        (["3", "3", "GPU-8a"], False, [2, 2, 1]),
        ([None, None], False, [1, 1]),  # there is none, or a launcher gives them out
        ([None, None, None], True, [3, 3, 3]),
        (["0"], False, [1]),
    ],
)
def test_workers_of_one_gpu_are_counted(
    devices: list[str | None], share_one: bool, sharing: list[int]
) -> None:
    gpus = gpus_of_workers(devices, share_one=share_one)
    assert [gpu.workers for gpu in gpus] == sharing
    assert [gpu.visible for gpu in gpus] == devices


@pytest.mark.parametrize(
    ("gpu", "own", "variables"),
    [
        (Gpu(), None, {}),
        (Gpu("3"), None, {"CUDA_VISIBLE_DEVICES": "3"}),
        (Gpu("3", 4), None, {"CUDA_VISIBLE_DEVICES": "3", "CNNSWEEP_GPU_SHARE": "1/4"}),
        (Gpu(None, 2), None, {"CNNSWEEP_GPU_SHARE": "1/2"}),
        (Gpu(None, 2), "2/3", {"CNNSWEEP_GPU_SHARE": "1/3"}),
        (Gpu("3", 4), "none", {"CUDA_VISIBLE_DEVICES": "3"}),
        (Gpu(None, 1), "2/3", {"CNNSWEEP_GPU_SHARE": "2/3"}),
    ],
)
def test_a_workers_environment_names_its_gpu_and_its_share(
    gpu: Gpu, own: str | None, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CNNSWEEP_GPU_SHARE", raising=False)
    if own is not None:
        monkeypatch.setenv("CNNSWEEP_GPU_SHARE", own)
    assert gpu.environment() == variables


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="there is no GPU 2; allowed are 0 to 1"):
        devices_of_slots([2], ("3", "5"), 1)


@pytest.mark.parametrize(
    ("listed", "driver", "visible"),
    [
        ("3,5", "dev/nvidiactl", ("3", "5")),
        (" 3 , GPU-8a ", "dev/kfd", ("3", "GPU-8a")),
        ("1,-1,2", "dev/nvidiactl", ("1",)),
        ("-1", "dev/nvidiactl", ()),
        ("", "dev/nvidiactl", ()),
        ("0,1", None, ()),
    ],
)
def test_gpus_are_those_that_cuda_would_show(
    listed: str,
    driver: str | None,
    visible: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvidia-smi
    if driver is not None:
        (tmp_path / driver).parent.mkdir()
        (tmp_path / driver).touch()
    assert visible_gpus(tmp_path) == visible


def test_without_that_variable_nvidias_tool_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 0\necho 1\n")
    tool.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus(tmp_path) == ("0", "1")
    tool.write_text("#!/bin/sh\necho no driver\nexit 9\n")
    assert visible_gpus(tmp_path) == ()


def test_a_worker_has_its_device_before_anything_is_imported(tmp_path: Path) -> None:
    settings = ("hydra/sweeper/sampler=grid", "lr=0.1,0.2", "hydra.sweeper.devices=[7,4]")
    done = sweep(TOY, tmp_path / "sweep", *settings, "mishap=tell_device", "epoch_seconds=0.3")
    assert done.code == 0, done.text
    told = {(tmp_path / f"sweep/{number}/device").read_text() for number in (0, 1)}
    assert told == {"7", "4"}
