"""Command lines as people type them, right and wrong, drawn by a seed, and what must come of each.

What is right is known from the YAML files of conf/ and from the tables here, not from the code
that checks: the same key is right with one option of its group and wrong with another.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cnnsweep.config import CONF_DIR

BASE = {
    "epochs": 1, "data.train_limit": 60, "threads": 1, "pictures": False, "model": "lenet"
}  # fmt: skip
GROUPS = ("model", "optim", "scheduler", "loss", "augment", "data")
OPTIONS = {
    "model": ("simple", "lenet"),
    "optim": ("sgd", "adam", "adamw", "rmsprop", "nesterov", "adagrad"),
    "scheduler": ("none", "cosine", "step", "exponential"),
    "loss": ("cross_entropy", "mse", "bce"),
    "augment": ("none", "light"),
    "data": ("digits",),
}
DEFAULTS = {
    "model": "simple", "optim": "sgd", "scheduler": "none", "loss": "cross_entropy",
    "augment": "none", "data": "digits",
}  # fmt: skip
RIGHT: dict[str, tuple[Any, ...]] = {
    "seed": (0, 3, 12),
    "epochs": (1, 2),
    "precision": ("float32", "bfloat16", "auto"),
    "device": ("cpu",),
    "deterministic": (True, False),
    "keep": ("all", "best"),
    "test": (True, False),
    "summary": (True, False),
    "grad_clip": (None, 0.5, 1),
    "l1": (0.0, 0.001),
    "early_stopping.patience": (None, 1, 5),
    "early_stopping.min_delta": (0.0, 0.01),
    "objective": ("val_accuracy", "val_loss", ["val_accuracy", "val_loss"]),
    "optim.lr": (0.1, 0.003, 1e-4),
    "optim.momentum": (0.0, 0.5, 0.9),
    "optim.weight_decay": (0.0, 1e-4),
    "optim.betas": ([0.8, 0.99],),
    "optim.eps": (1e-6,),
    "scheduler.gamma": (0.5,),
    "scheduler.step_size": (2,),
    "scheduler.T_max": (3,),
    "scheduler.eta_min": (0.0001,),
    "loss.label_smoothing": (0.0, 0.1),
    "augment.degrees": (5, 15),
    "augment.flip": (0.0, 0.5),
    "augment.crop": (0, 2),
    "data.batch_size": (8, 16, 30),
    "data.eval_batch_size": (100, 500),
    "data.val_fraction": (0.1, 0.25),
    "data.train_limit": (60, 80),
    "data.mean": (0.5, [0.4]),
    "data.std": (0.5, 1),
    "model.channels": ([4, 8], [6, 6]),
    "model.hidden": ([20], [], None),
    "model.activation": ("relu", "tanh", "elu"),
    "model.dropout": (0.0, 0.2),
    "model.norm": ("none", "batch"),
    "model.pooling": ("max", "avg"),
}
EXTRA = {"optim.maximize": (False,), "optim.foreach": (None,), "loss.reduction": ("mean",)}
WRONG: dict[str, tuple[Any, ...]] = {
    "seed": (-1, "abc", 1.5, None),
    "epochs": (0, -2, "many", 1.5, [1], {"a": 1}),
    "precision": ("float16", 32),
    "device": ("gpu", "cuda:x", None),
    "deterministic": ("maybe", 3),
    "keep": ("some", None),
    "test": ("perhaps", None),
    "grad_clip": (0, -1, "x"),
    "l1": (-0.1, "x"),
    "objective": ("accuracy", [], None, ["val_accuracy", "x"], 3),
    "early_stopping.patience": (0, "x"),
    "early_stopping": (5, None),
    "optim.lr": (0, -1, "fast", None, [0.1], True),
    "optim.momentum": (1, "x", -0.5),
    "optim.weight_decay": (-1, "heavy"),
    "optim.fused": ("maybe", 7),
    "optim._target_": ("torch.optim.Nope", None, 5, "os.system"),
    "loss.label_smoothing": (1, "x"),
    "data.batch_size": (0, 6.5, "x", None),
    "data.val_fraction": (1, -0.1, "x"),
    "data.mean": (123.7, "x", [], None),
    "data.std": (0, 58.4, [-1]),
    "model.channels": (5, [], ["a"], "x", None),
    "model.dropout": (1, "x"),
    "model.activation": ("rellu", 3),
    "model.layout": ("nchw", None),
    "resume": ("nowhere", 3),
    "init_from": ("nowhere.pt", 5),
    "threads": (0, "many"),
    "compile": (5, "x"),
    "graph": (5, "x"),
}


@dataclass
class Command:
    """A command line, the files beside it, and what must come of it.

    ``expected`` are dotted keys of the recorded config, ``wrong`` why it must be refused (empty:
    it may run), ``grid`` the number of jobs of a sweep.
    """

    words: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    chosen: dict[str, str] = field(default_factory=lambda: dict(DEFAULTS))
    folder: str | None = None
    grid: int = 0

    def text(self) -> str:
        """For a person who looks at a failure."""
        files = "".join(f"\n--- {name}\n{text}" for name, text in self.files.items())
        return f"{self.words}\nwrong: {self.wrong}\nexpected: {self.expected}{files}"


def as_word(value: Any) -> str:
    """A value as a person types it, without thought of quotes."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{','.join(map(as_word, value))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{k}:{as_word(v)}' for k, v in value.items())}}}"
    return str(value)


def has_key(command: Command, key: str) -> bool:
    """Whether the chosen options have a key, as their files say."""
    group, _, rest = key.partition(".")
    if group not in GROUPS:
        return True
    option = yaml.safe_load((CONF_DIR / group / f"{command.chosen[group]}.yaml").read_text())
    is_nothing = option["_target_"] is None
    return rest in option and not (is_nothing and rest != "_target_")


def misspelt(draw: random.Random, key: str) -> str:
    """A key with one slip of the fingers, in one of its parts."""
    parts = key.split(".")
    at = draw.randrange(len(parts))
    part = parts[at]
    place = draw.randrange(len(part))
    slip = draw.choice(("drop", "double", "swap", "case", "more"))
    if slip == "drop" and len(part) > 2:
        part = part[:place] + part[place + 1 :]
    elif slip == "swap" and place + 1 < len(part) and part[place] != part[place + 1]:
        part = part[:place] + part[place + 1] + part[place] + part[place + 2 :]
    elif slip == "case":
        part = part[:place] + part[place].swapcase() + part[place + 1 :]
    elif slip == "double":
        part = part[:place] + part[place] + part[place:]
    else:
        part += "s"
    parts[at] = part
    wrong = ".".join(parts)
    return wrong if wrong not in RIGHT and wrong != key and wrong not in EXTRA else f"{key}x"


def made_command(seed: int) -> Command:
    """The command line number ``seed``."""
    draw = random.Random(seed)
    command = Command()
    pieces = draw.choices(PIECES, weights=[weight for _, weight in PIECES], k=draw.randint(1, 3))
    groups = [piece for piece, _ in pieces if piece is a_group]
    for piece in [*groups, *(piece for piece, _ in pieces if piece is not a_group)]:
        piece(draw, command)
    for key, value in BASE.items():
        given = {word.lstrip("+").partition("=")[0] for word in command.words}
        if key == "model":
            if "model" not in given and command.chosen["model"] == "simple":
                continue
        elif key not in command.expected and key not in given:
            command.words.append(f"{key}={as_word(value)}")
            command.expected[key] = value
    return command


def a_group(draw: random.Random, command: Command) -> None:
    group = draw.choice(GROUPS)
    option = draw.choice(OPTIONS[group])
    command.words.append(f"{group}={option}")
    command.chosen[group] = option


def a_wrong_group(draw: random.Random, command: Command) -> None:
    group = draw.choice(GROUPS)
    option = draw.choice((misspelt(draw, draw.choice(OPTIONS[group])), "null", "[a,b]", "7"))
    command.words.append(f"{group}={option}")
    command.wrong.append(f"no option {option} of {group}")


def a_right_key(draw: random.Random, command: Command) -> None:
    key = draw.choice(list(RIGHT))
    value = draw.choice(RIGHT[key])
    command.words.append(f"{draw.choice(('', '', '', '++'))}{key}={as_word(value)}")
    if not has_key(command, key):
        if key.startswith("optim.") and command.words[-1].startswith("++"):
            command.wrong.append(f"perhaps {key}")  # torch's class may take it all the same
        else:
            command.wrong.append(f"{key} with {command.chosen}")
    command.expected[key] = value


def a_wrong_value(draw: random.Random, command: Command) -> None:
    key = draw.choice(list(WRONG))
    value = draw.choice(WRONG[key])
    command.words.append(f"{key}={as_word(value)}")
    command.wrong.append(f"{key}={value}")


def a_misspelt_key(draw: random.Random, command: Command) -> None:
    key = misspelt(draw, draw.choice(list(RIGHT)))
    value = draw.choice((1, 0.1, "x", None, [1, 2], True))
    command.words.append(f"{draw.choice(('', '+', '++'))}{key}={as_word(value)}")
    command.wrong.append(f"no key {key}")


def an_extra_key(draw: random.Random, command: Command) -> None:
    key = draw.choice(list(EXTRA))
    value = draw.choice(EXTRA[key])
    command.words.append(f"{draw.choice(('+', '++'))}{key}={as_word(value)}")
    command.expected[key] = value
    if key == "loss.reduction" and command.chosen["loss"] != "cross_entropy":
        command.wrong.append(f"{key} with {command.chosen['loss']}")


def a_deleted_key(draw: random.Random, command: Command) -> None:
    key = draw.choice((*RIGHT, *GROUPS, "early_stopping", "nothing", "optim.nothing"))
    command.words.append(f"~{key}")
    is_optional = key.startswith(("optim.", "loss.")) and has_key(command, key)
    if not is_optional:
        command.wrong.append(f"~{key}")
    command.expected.pop(key, None)


def an_interpolation(draw: random.Random, command: Command) -> None:
    value = draw.choice((0.02, 0.2))
    command.words += [f"+my.rate={value}", "optim.lr=${my.rate}"]
    command.expected |= {"optim.lr": value, "my.rate": value}
    if draw.random() < 0.3:
        command.words.append("+my.unread=1")
        command.wrong.append("my.unread")


def a_package(draw: random.Random, command: Command) -> None:
    word = draw.choice(("+optim@second=adam", "+model@net=lenet", "optim@second=adam", "+lr=0.1"))
    command.words.append(word)
    command.wrong.append(word)


def a_flag(draw: random.Random, command: Command) -> None:
    word = draw.choice(
        ("--multirn", "--epochs=3", "-x", "epochs", "epochs 3", "=3", "--config-dir")
    )
    command.words.append(word)
    command.wrong.append(word)


def a_folder(draw: random.Random, command: Command) -> None:
    """A name with characters that need quotes, with them or without."""
    name = "".join(draw.choices("ab_-.1 é(#'\"[]{}:,=~$%&@", k=draw.randint(1, 6))).strip(" .")
    name = name or "a"
    quoted = draw.random() < 0.6
    if quoted:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
        command.words.append(f'hydra.run.dir="runs/{escaped}"')
        command.folder = f"runs/{name}"
    else:
        command.words.append(f"hydra.run.dir=runs/{name}")
        if any(c in name for c in "é(#'\"[]{},=~$%&@: "):
            command.folder = None
        else:
            command.folder = f"runs/{name}"


def an_experiment(draw: random.Random, command: Command) -> None:
    """A YAML file of somebody's own, with mistakes or without; one at most."""
    if "experiment=x" in command.words:
        return
    tree: dict[str, Any] = {}
    for _ in range(draw.randint(1, 3)):
        key = draw.choice(list(RIGHT))
        value = draw.choice(RIGHT[key])
        if key in command.expected or not has_key(command, key):
            continue
        command.expected[key] = value
        _put(tree, key, value)
    slip = draw.choice(("none", "none", "none", "key", "value", "header", "package", "syntax"))
    if slip == "key":
        key = misspelt(draw, draw.choice(list(RIGHT)))
        _put(tree, key, 1)
        command.wrong.append(f"no key {key} (file)")
    elif slip == "value":
        key = draw.choice([k for k in WRONG if "." in k])
        _put(tree, key, draw.choice(WRONG[key]))
        command.wrong.append(f"value of {key} (file)")
        command.expected.pop(key, None)
    elif not tree:
        tree["seed"] = 5
        command.expected["seed"] = 5
    header = {"header": "", "package": "# @package _globl_\n"}.get(slip, "# @package _global_\n")
    text = header + yaml.safe_dump(tree)
    if slip in ("header", "package"):
        command.wrong.append(f"{slip} (file)")
    if slip == "syntax":
        text += draw.choice(("  - a\n b: [\n", "x: : y\n", "\tx: 1\n"))
        command.wrong.append("syntax (file)")
    command.files["mine/experiment/x.yaml"] = text
    command.words = [w for w in command.words if w not in ("--config-dir", "mine")]
    command.words += ["--config-dir", "mine", "experiment=x"]


def an_own_option(draw: random.Random, command: Command) -> None:
    """An optimizer of somebody's own file, whose keys its class has, or not."""
    if "--config-dir" in command.words or command.chosen["optim"] != "sgd":
        return
    node: dict[str, Any] = {"_target_": "torch.optim.SGD", "lr": 0.05, "momentum": 0.3}
    if draw.random() < 0.5:
        wrong = draw.choice(("momentun", "betas", "rate", "params", "_convert_", "LR"))
        node[wrong] = 1
        command.wrong.append(f"optim.{wrong} (file)")
    name = draw.choice(("own", "own", "own", "sgd"))
    if name == "sgd":
        command.wrong.append("a file with the name of ours")
    command.files[f"mine/optim/{name}.yaml"] = yaml.safe_dump(node)
    command.words += ["--config-dir", "mine", f"optim={name}"]
    command.expected |= {"optim.lr": 0.05, "optim.momentum": 0.3}


def a_grid(draw: random.Random, command: Command) -> None:
    if command.grid or "--multirun" in command.words:
        return
    key = draw.choice(("seed", "optim.lr", "data.batch_size", "grad_clip"))
    values = RIGHT[key][:2] if len(RIGHT[key]) > 1 else RIGHT[key]
    command.words += ["--multirun", f"{key}={','.join(map(as_word, values))}"]
    command.expected.pop(key, None)
    command.grid = len(values)
    if draw.random() < 0.3:
        word = draw.choice(
            ("optim.lr=interval(0.1,1)", "optim.lrr=1,2", "hydra.run.dir=x", "+a=1,2")
        )
        command.words.append(word)
        command.wrong.append(word)


def a_search_with_a_mistake(draw: random.Random, command: Command) -> None:
    if command.grid or "--multirun" in command.words:
        return
    word = draw.choice((
        "objective=val_accuracy,val_loss", "hydra.sweeper.timeout=1h", "hydra.sweeper.confirm=null",
        "hydra.sweeper.n_trials=0", "hydra.sweeper.n_trails=3", "hydra.sweep.subdir=x", "+lr=0.1",
        "optim.lrr=interval(0,1)", "grad_clip=choice(null,1)", "optim=adam", "search=sgdd",
        "hydra/sweeper/pruner=medium", "hydra.sweeper.seeds=0", "hydra.run.dir=x",
        "+hydra.sweeper.params.lr=interval(0,1)", "+hydra.sweeper.foo=1", "optim.lr=interval(1,0)",
    ))  # fmt: skip
    command.words += ["--multirun", "search=sgd", word]
    command.wrong.append(word)


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        child = tree.get(parent)
        if not isinstance(child, dict):
            child = tree[parent] = {}
        tree = child
    tree[last] = value


PIECES = (
    (a_group, 6), (a_right_key, 20), (an_experiment, 6), (a_folder, 3), (an_interpolation, 2),
    (an_extra_key, 2), (an_own_option, 2), (a_grid, 2), (a_misspelt_key, 3), (a_wrong_value, 3),
    (a_wrong_group, 1), (a_deleted_key, 1), (a_package, 1), (a_flag, 1),
    (a_search_with_a_mistake, 2),
)  # fmt: skip


def written(command: Command, folder: Path) -> None:
    """Write the files of a command into a folder."""
    for name, text in command.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
