"""What holds for every test: no telemetry, and property tests that repeat exactly in `make test` and CI."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

settings.register_profile(
    "ci", derandomize=True, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "local")

SLOW = (
    "promises/test_01_jobs.py",
    "promises/test_08_upgrade.py",
    "promises/test_07_schema.py",
    "contracts/test_documented_commands.py",
    "functional/test_pages.py",
    "promises/test_07_every_field.py",
    "promises/test_06_doors.py",
    "contracts/test_documented_operations.py",
    "integration/governance/web/test_trail.py",
    "unit/toolkit/optimization/test_alternatives.py",
    "contracts/test_wheels.py",
    "unit/toolkit/systems/test_isolated.py",
    "unit/examples/fraud_api/test_fraud_story.py",
    "functional/test_main_path.py",
    "functional/test_quarter_path.py",
    "integration/governance/test_demo_company.py",
    "integration/reviews/actions/test_walk.py",
)
"""The files of tests that take longest, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start what takes longest at once, so that no process is left alone with it at the end."""
    tests = Path(__file__).parent
    places = {tests / path: place for place, path in enumerate(SLOW)}
    items.sort(key=lambda item: places.get(item.path, len(SLOW)))


@pytest.fixture(autouse=True)
def _an_unknown_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier test found out about the broker, and announced there, is no business of the next."""
    from governance.jobs import worker_signals as wakeups  # models exist after the set-up of Django alone

    monkeypatch.setattr(wakeups, "LINE", wakeups.Line())
