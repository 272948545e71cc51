"""Which runs can be trained together."""

from torch import nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from cnnsweep.data.augment import Augmentation
from cnnsweep.models.densenet import DenseNet
from cnnsweep.models.inception import Inception
from cnnsweep.models.layers import Dropout
from cnnsweep.models.lenet import LeNet
from cnnsweep.models.resnet import ResNet
from cnnsweep.models.simple import Simple
from cnnsweep.stack import losses
from cnnsweep.stack.layers import STACKED, UNCHANGED
from cnnsweep.stack.torch_internals import all_of
from cnnsweep.training.optimizer_step import OptimizerStep
from cnnsweep.training.schedule import Schedule

NETWORKS = (Simple, LeNet, Inception, ResNet, DenseNet)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def why_alone(
    model: nn.Module, step: OptimizerStep, loss: nn.Module, augment: nn.Module | None
) -> str | None:
    """Why a run cannot be trained with others, in words; None where it can."""
    return (
        _why_not_optimizer(step.optimizer, model)
        or _why_not_schedule(step.schedule)
        or _why_not_network(model)
        or losses.why_not(loss)
        or _why_not_augment(augment)
    )


def _why_not_optimizer(optimizer: Optimizer, model: nn.Module) -> str | None:
    if type(optimizer) is not SGD:
        return f"optim._target_ is {type(optimizer).__name__}, and only SGD is stacked"
    if len(optimizer.param_groups) != 1:
        return f"its optimizer has {len(optimizer.param_groups)} groups of parameters"
    (group,) = optimizer.param_groups
    for key in ("maximize", "differentiable"):
        if group.get(key, False):
            return f"optim.{key}=true"
    if {id(p) for p in group["params"]} != {id(p) for p in model.parameters()}:
        return "not all of its parameters are trained"
    return None


def _why_not_schedule(schedule: Schedule) -> str | None:
    """A schedule that steps by batches is stepped through an epoch before it is trained."""
    if schedule.scheduler is None or schedule.interval != "batch":
        return None
    for scheduler in all_of(schedule.scheduler):
        if type(scheduler).__module__ != LRScheduler.__module__:
            return f"scheduler._target_ is {type(scheduler).__name__}, which is not torch's"
    return None


def _why_not_network(model: nn.Module) -> str | None:
    if type(model) not in NETWORKS:
        return f"model._target_ is {type(model).__name__}, which is not one of ours"
    for name, module in model.named_modules():
        if any(getattr(module, hooks, None) for hooks in _HOOKS):
            return f"{name or 'the network'} has hooks"
        is_leaf = not any(module.children())
        if is_leaf and type(module) not in (*STACKED, *UNCHANGED, Dropout):
            return f"{name} is a {type(module).__name__}"
        if isinstance(module, nn.BatchNorm2d) and None in (module.momentum, module.running_mean):
            return f"{name} keeps no running mean"
    return None


def _why_not_augment(augment: nn.Module | None) -> str | None:
    if augment is None or type(augment) is Augmentation:
        return None
    return f"augment._target_ makes a {type(augment).__name__}, which cannot draw for one run alone"
