"""`keep` notes a figure of the test that asks for it; what was noted is written when the test ends, however
it ended.
"""

import os
import time
from collections.abc import Iterator

import pytest

from tests.performance.recorder import KEEP, Recorder


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """Notes figures; the command that repeats them is that of the whole test, parameters included."""
    path, _, test = request.node.nodeid.partition("::")
    recorder = Recorder(f"python -m pytest '{path}::{test}' -p no:randomly -q")
    yield recorder
    if os.environ.get(KEEP) == "keep":
        recorder.write(at=time.strftime("%Y-%m-%d", time.gmtime()))
