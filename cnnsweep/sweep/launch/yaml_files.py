"""Which of a config's files says something, so that a line can name it."""

from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig


def file_with(text: str, config: DictConfig) -> str | None:
    """The file in a folder of the search path, of a chosen option or of the main config, with a
    text in it, as its folder names it; None where a command's words or a package say it.
    """
    choices: Any = config.hydra.runtime.choices
    names = [f"{group}/{option}" for group, option in choices.items() if option is not None]
    main = config.hydra.job.config_name
    for folder in _folders():
        for name in (*names, *([] if main is None else [str(main)])):
            path = (folder / name.removesuffix(".yaml")).with_suffix(".yaml")
            if path.is_file() and text in path.read_text(encoding="utf-8", errors="replace"):
                return str(path.relative_to(folder))
    return None


def _folders() -> list[Path]:
    sources = GlobalHydra.instance().config_loader().get_sources()
    return [Path(source.path) for source in sources if source.scheme() == "file"]
