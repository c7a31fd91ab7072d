"""What several tests of systems need."""

import time
from types import SimpleNamespace

import pytest

from weighbridge.systems.sandbox import process


@pytest.fixture
def ahead(monkeypatch):
    """How far the clock of the deadline is ahead. The deadline comes when a test says so, not when the machine does."""
    seconds = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + seconds[0], sleep=time.sleep)
    monkeypatch.setattr(process, "time", clock)
    return seconds
