"""A grid's jobs: what they lack is left out, and what cannot be meant is refused."""

import time
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict

from cnnsweep.config.grid_jobs import GridJobs, check_jobs, job_overrides
from cnnsweep.config.validation import resolve
from cnnsweep.errors import UserError
from tests.config.composing.sweeps import loader, sweep


def composed_whole(config: Any, words: list[str], number: int) -> dict[str, Any]:
    """A job as Hydra composes it."""
    job = loader().load_sweep_config(config, words)
    with open_dict(job):
        job.hydra.job.id, job.hydra.job.num = str(number), number
    controller = HydraConfig.instance().cfg
    HydraConfig.instance().set_config(job)
    try:
        return resolve(job)
    finally:
        HydraConfig.instance().cfg = controller


@pytest.mark.parametrize(
    "words",
    [
        ["model=simple,lenet", "seed=0,1"],
        ["seed=0,1", "model=simple,lenet", "optim=sgd,adam"],
        ["scheduler=cosine,step", "epochs=3,4"],
        ["scheduler=one_cycle", "optim.lr=0.1,0.2", "epochs=range(2,4)"],
        ["init_from=x${hydra:job.num},y${seed}", "seed=3,4"],
        ["model.channels=[8,16],[16,32]", "model.kernel_size=3,5"],
        ["early_stopping={patience:1},{patience:2,min_delta:0.5}", "seed=0,1"],
        ["early_stopping={patience:1}", "early_stopping.patience=2,3"],
        ["+model.a=1,2", "seed=0,1"],
        ["++model.a=1,2", "++optim.lr=3,4"],
        ["~early_stopping.patience", "seed=0,1"],
        ["augment=light", "augment.scale=[0.5,1],[0.8,2]", "augment.scale.0=0.6,0.7"],
        ["experiment=mnist_simple,fashion_lenet", "optim.lr=0.1,0.2"],
        ["objective=val_loss,[val_accuracy,val_loss]"],
        ["keep=all,best", "pictures=false,true", "optim.lr=1e-3,2"],
        ["logger=[csv,tensorboard],none", "seed=0,1"],
        ["+data@other=digits,mnist", "seed=0,1"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_job_resolved_quickly_is_what_hydra_composes(words: list[str]) -> None:
    with sweep(*words) as config:
        jobs = GridJobs(config)
        listed = job_overrides(config)
        assert jobs.overrides == listed
        order = [*range(len(listed)), *reversed(range(len(listed)))]
        wanted = [composed_whole(config, words, 10 + n) for n, words in enumerate(listed)]
        for index in order:
            assert jobs.resolved(index, index + 10) == wanted[index]


LEFT_OUT = [
    (["data=digits,mnist", "data.root=DIR"], {"data=digits": "data.root"}),
    (["data=mnist,fashion_mnist", "data.root=DIR"], {}),
    (["optim=adam,sgd", "optim.eps=0.5"], {"optim=sgd": "optim.eps"}),
    (["augment=none,light", "augment.degrees=5"], {"augment=none": "augment.degrees"}),
    (["model=torchvision,simple", "model.name=resnet18"], {"model=simple": "model.name"}),
    (["scheduler=step,none", "scheduler.gamma=0.5"], {"scheduler=none": "scheduler.gamma"}),
    (["loss=cross_entropy,mse", "loss.label_smoothing=0.1"], {"loss=mse": "loss.label_smoothing"}),
    (["experiment=mnist_simple,fashion_lenet", "data.root=DIR"], {}),
    (
        ["experiment=mnist_adam,mnist_simple", "optim.eps=0.5"],
        {"experiment=mnist_simple": "optim.eps"},
    ),
    (["data=glob(*mnist)", "data.root=DIR", "seed=0,1"], {}),
    (
        ["++hydra.sweeper.params={data: 'digits,mnist'}", "data.root=DIR"],
        {"data=digits": "data.root"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("words", "lacking"), LEFT_OUT, ids=lambda x: " ".join(x))
def test_a_key_beside_its_swept_group_is_set_where_there_is_one(
    words: list[str], lacking: dict[str, str]
) -> None:
    with sweep(*words) as config:
        jobs = GridJobs(config)
        for job in jobs.overrides:
            without = [lacking[word] for word in job if word in lacking]
            typed = [word for word in words if "," not in word and "(" not in word]
            for word in typed:
                assert (word in job) == (word.partition("=")[0] not in without)
            loader().load_sweep_config(config, job)
        assert len(jobs.overrides) == len(job_overrides(config))
        assert len(jobs.notes) == len(lacking)
        for choice, key in lacking.items():
            assert f"{key}=" in jobs.notes[0]
            assert f"left out for {choice}, which has no such key" in jobs.notes[0]


def test_jobs_that_are_equal_without_a_key_are_one() -> None:
    with sweep("augment=none,light", "augment.degrees=5,6", "seed=0,0") as config:
        jobs = GridJobs(config)
    assert jobs.overrides == [
        ["augment=none", "seed=0"],
        ["augment=none", "seed=0"],  # typed twice
        ["augment=light", "augment.degrees=5", "seed=0"],
        ["augment=light", "augment.degrees=5", "seed=0"],
        ["augment=light", "augment.degrees=6", "seed=0"],
        ["augment=light", "augment.degrees=6", "seed=0"],
    ]
    assert jobs.notes == [
        "augment.degrees=5,6 is set for augment=light, and left out for augment=none, which has no "
        "such key",
        "2 jobs that would be equal to others without it are left out",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data=mnist,kmnist", "data.rooot=DIR"], "Did you mean 'data.root'?"),
        (["seed=0,1", "data.root=DIR"], "unknown key 'data.root'"),
        (["seed=0,1", "optim.lrr=1,2"], "Did you mean 'optim.lr'?"),
        (["model=simple,resnets"], "unknown model 'resnets'. Did you mean 'resnet'?"),
        (["model=simple,lenet", "optim.lr=0.1,-1"], "(in the job model=simple optim.lr=-1)"),
        (["seed=range(300)", "optim.lr=0.1,-1"], "(in the job seed=0 optim.lr=-1)"),
        (["seed=0,x"], "(in the job seed=x)"),
        (["seed=range(400)", "data.val_fraction=0.1,2"], "data.val_fraction=2"),
        (["augment=none,light", "++augment.degrees=5"], "(in the job augment=none ++augment"),
        (["+seed=1,2"], "(in the job +seed=1)"),
        (["seed=0,1", "test=false", "objective=val_loss,test_loss"], "objective=test_loss"),
    ],
)  # fmt: skip
def test_a_grid_of_which_a_job_could_only_fail_is_refused(words: list[str], said: str) -> None:
    with sweep(*words) as config, pytest.raises(UserError) as refused:
        check_jobs(config)
    assert said in str(refused.value) or (
        said.startswith("objective") and "objective=test_" in str(refused.value)
    )


def test_the_first_of_a_thousand_jobs_waits_no_longer_than_twenty_are_composed() -> None:
    with sweep("seed=range(1000)", "model=lenet") as config:
        words = job_overrides(config)[0]
        loader().load_sweep_config(config, words)
        start = time.process_time()
        for _ in range(20):
            loader().load_sweep_config(config, words)
        twenty = time.process_time() - start
        start = time.process_time()
        assert len(check_jobs(config).overrides) == 1000
        assert time.process_time() - start < twenty


def test_a_folder_is_where_somebody_says(tmp_path: Path) -> None:
    words = [
        "seed=0,1",
        "hydra.sweep.subdir=s${seed}_${hydra.job.num}",
        f"hydra.sweep.dir={tmp_path}",
    ]
    with sweep(*words) as config:
        assert GridJobs(config).subdir(1, 7) == Path("s1_7")
    with sweep("seed=0,1") as config:
        assert GridJobs(config).subdir(1, 7) == Path("7")
