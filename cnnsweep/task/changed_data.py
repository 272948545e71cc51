"""Whether the data of a folder's run are still what they were, looked at before anything is begun.

What has trained on some images must not go on, or count as finished, with others.
"""

import json
from collections.abc import Mapping
from typing import Any

from hydra.utils import execution_whitelist
from omegaconf import OmegaConf

from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder


class DataCheck:
    """Compares the data of several folders; equal data sets are read once."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[dict[str, Any], dict[str, str]]] = {}

    def refuse_other_data(self, folder: RunFolder, resolved: Mapping[str, Any]) -> None:
        """Raise UserError where the folder's run was trained on other data than ``resolved`` names.

        Says nothing of a run without a record of its data, and of a finished one whose data cannot
        be read any more. Raises UserError too where an unfinished run's data cannot be read.
        """
        result = folder.read_result()
        is_finished = result is not None and result["status"] == "completed"
        if not folder.last.exists() and not is_finished:
            return
        from cnnsweep.session.same_data import other_data, recorded_data  # torch

        before = recorded_data(folder)
        if before is None:
            return
        try:
            now, files = self.present(resolved, has_test="test_hash" in before)
        except UserError:
            if is_finished:
                return
            raise
        other_data(folder, before, now, files)

    def present(
        self, resolved: Mapping[str, Any], *, has_test: bool = False
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The fingerprint of a resolved config's data, and a hash of each file.

        ``has_test``: a data set that names no files is asked for its test images.
        """
        from cnnsweep.data.fingerprint import fingerprint, with_test
        from cnnsweep.session.build import make_dataset
        from cnnsweep.session.same_data import data_files

        key = json.dumps([resolved["data"], has_test], sort_keys=True, default=str)
        if key not in self._seen:
            with execution_whitelist(allowed_targets()):
                dataset = make_dataset(OmegaConf.create({"data": resolved["data"]}))
            found = fingerprint(dataset)
            if has_test:
                found = with_test(found, dataset.test())
            files = {name: hash for name, _, hash in data_files(dataset)}
            self._seen[key] = found, files
        return self._seen[key]
