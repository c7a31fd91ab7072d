"""A session: the runs that were handed out to devices, and the results that came back."""

import dataclasses
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from weighbridge.core.errors import Invalid, NotFound
from weighbridge.systems.device.answers import compare_answers
from weighbridge.systems.device.document import device_document
from weighbridge.systems.device.job import DeviceJob
from weighbridge.systems.device.reference import Reference
from weighbridge.systems.device.report import SLACK_MS, Report, read_refusal, read_report

MAX_OPEN_RUNS, MAX_RESULTS, MAX_REFUSALS = 100, 1_000, 100
OTHER_RUN = "This run is not open: its result came already, or the page is of another session. Load the page again."


@dataclasses.dataclass
class Session:
    """Hands out runs, each for one result, and keeps the results; safe to use from several threads.

    `here` is the result of `profile` on this machine, if it was asked for.
    """

    job: DeviceJob
    reference: Reference
    version: str
    tolerance: float | None = None
    here: Mapping[str, Any] | None = None
    monotonic: Callable[[], float] = time.monotonic
    results: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    refusals: list[str] = dataclasses.field(default_factory=list)
    changed: threading.Condition = dataclasses.field(default_factory=threading.Condition)
    _open: dict[str, float] = dataclasses.field(default_factory=dict)

    def about(self) -> dict[str, Any]:
        """Return what the page tells about the model before a run."""
        return {name: self.job.description[name] for name in ("name", "bytes", "samples", "duration_s")}

    def begin(self) -> dict[str, Any]:
        """Open a run and return what its page needs; the oldest of too many open runs is closed."""
        run = secrets.token_urlsafe(16)
        with self.changed:
            if len(self._open) >= MAX_OPEN_RUNS:
                del self._open[next(iter(self._open))]
            self._open[run] = self.monotonic()
        return {
            **self.job.description,
            "run": run,
            "version": self.version,
            "weight_digests": self.job.file.weights,
            "answers": len(self.reference.answers),
            "answer_values": self.reference.values_max,
        }

    def accept(self, body: bytes) -> dict[str, Any]:
        """Check the report of an open run, close the run, and keep and return its result.

        Raises Invalid and NotFound for a report that cannot be one of this session; then nothing is kept, and the run
        stays open.
        """
        report = read_report(body)
        begun = self._begun(report.run)
        if (report.digest, report.weights) != (self.job.file.digest, self.job.file.weights):
            raise Invalid("The report is about another model.", code="other_model", field="digest")
        if report.measured_ms > (self.monotonic() - begun) * 1e3 + SLACK_MS:
            raise Invalid("The report claims a longer run than the time since it began.", field="duration_ms")
        document = self._document(report)
        with self.changed:
            self._close(report.run)
            self.results.append(document)
            self.changed.notify_all()
        return document

    def refuse(self, body: bytes) -> None:
        """Close a run that a device could not do, and keep its reason; raise Invalid and NotFound."""
        run, reason = read_refusal(body)
        with self.changed:
            self._close(run)
            self.refusals.append(reason)
            self.changed.notify_all()

    def _begun(self, run: str) -> float:
        with self.changed:
            if run not in self._open or len(self.results) >= MAX_RESULTS:
                raise NotFound(OTHER_RUN, code="run_closed")
            return self._open[run]

    def _close(self, run: str) -> None:
        if self._open.pop(run, None) is None or len(self.refusals) >= MAX_REFUSALS:
            raise NotFound(OTHER_RUN, code="run_closed")

    def _document(self, report: Report) -> dict[str, Any]:
        agreement = compare_answers(
            report.answers, self.reference.answers, most=self.reference.values_max, tolerance=self.tolerance
        )
        now = datetime.fromtimestamp(time.time(), UTC)
        return device_document(self.job, report, agreement, version=self.version, measured_at=now, here=self.here)
