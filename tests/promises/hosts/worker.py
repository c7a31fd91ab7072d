"""A Celery worker of a host: the real application, except that a measurement is a while of work that leaves traces."""

import os
import time
from pathlib import Path
from typing import Any

import django

django.setup()

from config.celery import app  # noqa: E402 -- Django is set up first
from tests.factories import requests as walks  # noqa: E402 -- Django is set up first
from weighbridge.client.worker import measurement  # noqa: E402 -- Django is set up first
from weighbridge.systems.sandbox import process  # noqa: E402 -- Django is set up first

STEPS, STEP_S = 6, 0.05
__all__ = ["app"]


def pretend(*, on_progress: Any, should_stop: Any, **_: Any) -> dict[str, Any]:
    """A line for each step: the run, its fence, and the host that works on it."""
    run = on_progress.__self__.run
    for step in range(STEPS):
        with Path(os.environ["WEIGHBRIDGE_VAR"], "beats").open("a") as beats:
            beats.write(f"{run.pk} {run.fence} {os.environ['TRIAL_HOST']}\n")
        on_progress(step / STEPS, "pretending")
        if should_stop():
            raise process.RunCanceled("no longer ours")
        time.sleep(STEP_S)
    return walks.result_of()


measurement.run_isolated = pretend
