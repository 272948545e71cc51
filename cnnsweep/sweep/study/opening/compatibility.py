"""What a sweep records at its first launch, and how a later launch is compared with it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import CategoricalDistribution, distribution_to_json, json_to_distribution
from optuna.study import Study

from cnnsweep.dotted_keys import are_same, leaves
from cnnsweep.errors import UserError
from cnnsweep.folders.recorded_defaults import completed
from cnnsweep.folders.run_folder import differing_keys
from cnnsweep.sweep.spec.run_keys import EPOCHS
from cnnsweep.sweep.spec.samplers import Space

FACTS = "facts"
KEEPS_ALL = "keeps_all"  # of a study that older code began, which kept all checkpoints
OF_A_LAUNCH = ("threads", "resume", "from")  # keys of ours that a later launch may change
_IS_OURS = "is_ours"
_NONE = "not there"


@dataclass(frozen=True)
class Facts:
    """Plain values that go into JSON.

    ``config`` is the config that all trials share, unresolved; ``objectives`` their names and
    directions; ``seed`` the sampler's; ``keep_best`` as first typed; ``code`` versions and commit;
    ``default_first``: whether the first trial may be the default config; ``conditions``, in words,
    those of parameters that not every trial has; ``is_ours``: whether ``config``
    is that of our runs, or another app's, of which every key counts.
    """

    config: dict[str, Any]
    space: dict[str, str]
    objectives: dict[str, str]
    seeds: int
    seed: int
    threads: int
    sampler: dict[str, Any]
    pruner: dict[str, Any]
    keep_best: int | None
    code: dict[str, Any]
    default_first: bool = True
    conditions: dict[str, str] = field(default_factory=dict)
    is_ours: bool = True

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values, as a storage returns them."""
        plain: dict[str, Any] = json.loads(json.dumps(_with_text_keys(vars(self)), default=str))
        return plain


def _with_text_keys(value: Any) -> Any:
    """A value with keys that JSON can have: a config's may be an Enum's, or bytes."""
    if isinstance(value, Mapping):
        return {
            key if isinstance(key, str | int | float | None) else str(key): _with_text_keys(one)
            for key, one in value.items()
        }
    return [*map(_with_text_keys, value)] if isinstance(value, list) else value


def sets_as_before(facts: Mapping[str, Any]) -> bool:
    """Whether another app's sweep was begun by code that set keys which are named like ours."""
    return _IS_OURS not in facts


def as_facts(space: Space) -> dict[str, str]:
    return {name: distribution_to_json(d) for name, d in space.items()}


def settle(
    study: Study, present: Facts, say: Callable[[str], None], longer: str | None = None
) -> None:
    """Store the facts of a new study; compare those of an old one, and say what differs.

    ``longer`` is a sentence with the command that trains a search's best points for more epochs.

    Raises:
        UserError: the results of this launch would not be comparable with the recorded ones.
    """
    now = present.as_json()
    before = study.user_attrs.get(FACTS)
    if before is None:
        study.set_user_attr(FACTS, now)
        return
    if not present.is_ours and _IS_OURS not in before:  # older code left these out, and sets some
        now = {key: value for key, value in now.items() if key != _IS_OURS}
        now["config"] = {k: v for k, v in now["config"].items() if k not in OF_A_LAUNCH}
    is_ours = now.get(_IS_OURS, True)
    _refuse_mixing({"default_first": True} | before, now, longer, is_ours=is_ours)
    if "keep_best" not in before:
        study.set_user_attr(KEEPS_ALL, True)
    before = {"conditions": {}} | before
    for name in ("space", "conditions", "sampler", "pruner", "code"):
        old = completed(before[name], now[name], f"hydra.sweeper.{name}")
        new = leaves(now[name])
        # Older code recorded the versions of less: what it didn't know has not changed.
        for key in sorted({*old, *new} if name != "code" else old.keys() & new.keys()):
            if not are_same(old.get(key), new.get(key)):
                say(
                    f"note: since this sweep's first launch {name} changed: "
                    f"{key}: {old.get(key)} → {new.get(key)}"
                )
    study.set_user_attr(FACTS, now | {"code": before["code"]})


def _refuse_mixing(
    before: dict[str, Any], now: dict[str, Any], longer: str | None, *, is_ours: bool
) -> None:
    _refuse_another_space(before["space"], now["space"])
    differing = differing_keys(before["config"], now["config"], is_ours=is_ours)
    old, new = completed(before["config"], now["config"]), leaves(now["config"])
    said = [f"{k} (was {old.get(k, _NONE)}, is {new.get(k, _NONE)})" for k in differing]
    for name in ("seeds", "threads", "objectives", "seed", "default_first"):
        if before[name] != now[name]:
            said.append(f"{name} (was {before[name]}, is {now[name]})")
    if longer is not None and differing == [EPOCHS]:
        raise UserError(
            f"trials of two lengths do not compare in one search: {', '.join(said)}. {longer}"
        )
    if said:
        raise UserError(
            f"this sweep was begun with another config, and results would mix: {', '.join(said)}. "
            "Type what was typed first, or choose another hydra.sweep.dir"
        )


def _refuse_another_space(old: dict[str, str], new: dict[str, str]) -> None:
    if old.keys() != new.keys():
        raise UserError(
            f"this sweep was begun over {', '.join(old) or 'nothing'}, not {', '.join(new)}; "
            "choose another hydra.sweep.dir"
        )
    for name, written in old.items():
        if not are_same(_kind(written), _kind(new[name])):
            raise UserError(
                f"this sweep was begun with {name} from {json_to_distribution(written)}, not "
                f"{json_to_distribution(new[name])}; only bounds may change. Choose another "
                "hydra.sweep.dir"
            )


def _kind(written: str) -> tuple[object, ...]:
    """What Optuna cannot change within a study: the type, a choice's values, log or not."""
    distribution = json_to_distribution(written)
    if isinstance(distribution, CategoricalDistribution):
        return (CategoricalDistribution, distribution.choices)
    return (type(distribution), distribution.log)  # type: ignore[attr-defined]
