"""Promise 1 with the shipped settings: nobody waits a minute, whichever worker dies or stands still."""

import json
import os
import subprocess
import sys

import pytest

from tests.promises import harness_places, harness_report

LONG = os.environ.get("WEIGHBRIDGE_PROMISES") == "long"
COMMAND = ["-m", "tests.promises.harness_shipped"]


@pytest.mark.nightly
def test_nobody_waits_longer_than_a_minute_for_a_worker_that_died() -> None:
    trial = subprocess.run(
        [sys.executable, *COMMAND], cwd=harness_places.ROOT, capture_output=True, text=True, timeout=900, check=False
    )
    assert trial.returncode == 0, trial.stderr[-4000:]
    figures = json.loads(trial.stdout.splitlines()[-1])
    if LONG:
        harness_report.keep([figures], command=f"python {' '.join(COMMAND)}")
    assert figures["kills"] >= 6
    assert figures["after_a_burst_of_kills_s"] < 60
    assert figures["of_a_worker_that_died_s"] < 60
    assert figures["after_a_standstill_s"] < 60
    assert figures["told_after_s"] < 60
    assert figures["said"] >= 3
