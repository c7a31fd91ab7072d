"""Weights & Biases: a group per benchmark, a run per variant, and the JSON as an artifact; also offline.

Offline runs are stored in a folder; `wandb sync FOLDER` sends them later.
"""

import json
import os
from pathlib import Path
from typing import Any

from weighbridge.client.trackers.records import TrackerRecord
from weighbridge.core.errors import Refused
from weighbridge.core.extras import import_extra

# By default, Weights & Biases also sends error reports, the code in the working directory and its git state.
QUIET = {
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_DISABLE_CODE": "true",
    "WANDB_DISABLE_GIT": "true",
    "WANDB_SILENT": "true",
}
LOGIN_S = 20


class WandbTracker:
    """Logs to one project, or into `folder` when offline."""

    def __init__(self, project: str, *, folder: Path, is_offline: bool) -> None:
        """Set the project and folder; raises ExtraMissing if wandb is not installed."""
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        self.wandb: Any = import_extra("wandb")
        self.project, self.folder, self.is_offline = project, folder, is_offline

    def log(self, record: TrackerRecord) -> str:
        """Log the record and each child as runs of one group; return the address or the folder. Raises Refused."""
        try:
            place = self._run(record, group=record.name, kind="benchmark")
            for child in record.children:
                self._run(child, group=record.name, kind="variant")
        except (self.wandb.Error, OSError) as error:
            raise Refused(f"Weights & Biases refused: {error}", code="tracker_refused") from error
        return place

    def _run(self, record: TrackerRecord, *, group: str, kind: str) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        run = self.wandb.init(
            project=self.project,
            name=record.name,
            group=group,
            job_type=kind,
            dir=str(self.folder),
            mode="offline" if self.is_offline else "online",
            config={**record.settings, **record.labels},
            settings=self.wandb.Settings(silent=True, console="off", init_timeout=LOGIN_S),
        )
        try:
            run.summary.update(dict(record.metrics))
            if kind == "benchmark":
                artifact = self.wandb.Artifact("weighbridge-result", type="benchmark")
                with artifact.new_file("weighbridge.json") as stream:
                    stream.write(json.dumps(record.document))
                run.log_artifact(artifact)
        finally:
            run.finish()
        return str(run.dir).removesuffix("/files") if self.is_offline else str(run.url)
