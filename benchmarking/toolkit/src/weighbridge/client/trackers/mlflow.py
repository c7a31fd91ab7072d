"""MLflow: a parent run per benchmark, a child run per variant, and the JSON as an artifact; can also read runs.

MLflow's limits apply: 100 settings or labels and 1,000 values per batch, 6,000 characters per setting, 8,000 per label.
Settings are text in MLflow, so values to filter on are metrics.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.client.trackers.records import TrackerRecord
from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.extras import import_extra
from weighbridge.core.parsing.json_text import read_json
from weighbridge.core.parsing.limits import MEASUREMENT

WORDS_PER_BATCH, METRICS_PER_BATCH = 100, 1_000
MAX_SETTING, MAX_LABEL = 6_000, 8_000
ARTIFACT = "weighbridge.json"
# By default, MLflow sends telemetry, retries for minutes, and refuses to write to a plain folder.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    # Bars would stand between our sentences.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


class MlflowTracker:
    """Logs to one experiment of the tracking server at `uri`, and reads from it."""

    def __init__(self, uri: str, experiment: str) -> None:
        """Set the server and experiment without connecting. Raises ExtraMissing if MLflow is not installed."""
        self.uri, self.experiment = uri, experiment
        self.client = mlflow_client(uri)

    def log(self, record: TrackerRecord) -> str:
        """Log the record as a run with a nested run per child; return its address. Raises Refused."""
        with refusals(self.uri):
            experiment = self._experiment_id()
            run_id = self._log(record, experiment, parent=None)
        return f"{self.uri.rstrip('/')}/#/experiments/{experiment}/runs/{run_id}"

    def documents(self, limit: int = 1_000) -> Iterator[Mapping[str, Any]]:
        """Yield the parent runs, newest first: `{"name", "run_id", "metrics", "document"}`.

        `document` is the result that `log` stored with the run, or None for other runs.
        """
        with refusals(self.uri):
            experiment = self.client.get_experiment_by_name(self.experiment)
            if experiment is None:
                text = f"{self.uri} has no experiment {self.experiment!r}."
                raise Invalid(text, code="no_experiment", field="experiment")
            for run in self.client.search_runs([experiment.experiment_id], max_results=limit):
                if "mlflow.parentRunId" not in run.data.tags:
                    yield {
                        "name": run.info.run_name,
                        "run_id": run.info.run_id,
                        "metrics": dict(run.data.metrics),
                        "document": self._document(run.info.run_id),
                    }

    def _experiment_id(self) -> str:
        found = self.client.get_experiment_by_name(self.experiment)
        return str(found.experiment_id if found else self.client.create_experiment(self.experiment))

    def _log(self, record: TrackerRecord, experiment: str, parent: str | None) -> str:
        tags = {key: value[:MAX_LABEL] for key, value in record.labels.items()}
        tags |= {"mlflow.parentRunId": parent} if parent else {}
        run_id = str(self.client.create_run(experiment, run_name=record.name, tags=tags).info.run_id)
        status = "FAILED"
        try:
            entities = import_extra("mlflow.entities")
            params = [entities.Param(key, value[:MAX_SETTING]) for key, value in record.settings.items()]
            metrics = [entities.Metric(key, value, timestamp=0, step=0) for key, value in record.metrics.items()]
            for batch in batches(params, WORDS_PER_BATCH):
                self.client.log_batch(run_id, params=batch)
            for batch in batches(metrics, METRICS_PER_BATCH):
                self.client.log_batch(run_id, metrics=batch)
            if parent is None:
                self.client.log_text(run_id, json.dumps(record.document), ARTIFACT)
            for child in record.children:
                self._log(child, experiment, run_id)
            status = "FINISHED"
        finally:
            self.client.set_terminated(run_id, status=status)
        return run_id

    def _document(self, run_id: str) -> Mapping[str, Any] | None:
        if ARTIFACT not in {entry.path for entry in self.client.list_artifacts(run_id)}:
            return None
        with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
            path = Path(self.client.download_artifacts(run_id, ARTIFACT, folder))
            document: Mapping[str, Any] = read_json(path, field=None, limits=MEASUREMENT)
        return document


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Split a sequence into parts of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))


def mlflow_client(uri: str) -> Any:
    """Return a client of the tracking server and its registry. Raises ExtraMissing if MLflow is not installed."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    tracking = import_extra("mlflow.tracking")
    with refusals(uri):
        return tracking.MlflowClient(tracking_uri=uri)


@contextlib.contextmanager
def refusals(uri: str) -> Iterator[None]:
    """Convert MLflow's exceptions to `Refused` with a readable message."""
    exceptions = import_extra("mlflow.exceptions")
    try:
        yield
    except (exceptions.MlflowException, OSError) as error:
        first = str(error).partition("\n")[0]
        raise Refused(f"MLflow at {uri} refused: {first}", code="tracker_refused") from error
