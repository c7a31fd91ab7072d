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


@pytest.fixture
def share(keep):
    """Note the share of trials in which the truth lay within, and hold it."""

    def held(name, hits, *, low=0.93, high=0.97):
        hits = list(hits)
        key = "".join(letter if letter.isalnum() else "_" for letter in name)
        assert keep(
            f"coverage.{key}",
            100 * sum(hits) / len(hits),
            "%",
            at_least=100 * low,
            at_most=100 * high,
            title=name[0].upper() + name[1:],
            beside=f"{len(hits):,} trials",
        ).is_held

    return held
