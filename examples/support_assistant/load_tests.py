"""Load tests: each candidate is fired at with the peak rate, and its answers are held against the limits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import weighbridge
from examples.steps import Say
from examples.support_assistant.serving import CHAT, ServedCandidate, law_words
from examples.support_assistant.settings import GOOD_SHARE, LIMITS, SupportSettings
from weighbridge.core.metrics.basis import Basis
from weighbridge.measure.verdict import Status

ATTEMPTS = 3
# Five times the limit of the first token: an answer that takes longer is given up, as its user would.
TIMEOUT = "10s"
# Invalid because of the server, which a repetition would not change: it is what was to be found out.
OF_SERVER = ("errors.requests", "load.saturated", "samples.unanswered", "server.busy", "samples.too_few")


def load_test(candidate: ServedCandidate, prompts: Path, settings: SupportSettings, say: Say) -> dict[str, Any]:
    """Return `weighbridge.load/1` of a candidate, at most ATTEMPTS times repeated if the client was disturbed.

    Every metric has its basis: that of a double is `estimated`, however exactly its times were taken.
    """
    found: dict[str, Any] = {}
    with candidate.serve() as address:
        for attempt in range(1, ATTEMPTS + 1):
            found = {**_fire(address, candidate, prompts, settings, say), "attempts": attempt}
            if not is_disturbed(found):
                break
    return labeled(found, candidate)


def _fire(
    address: str, candidate: ServedCandidate, prompts: Path, settings: SupportSettings, say: Say
) -> Mapping[str, Any]:
    chat = weighbridge.Chat(
        prompts=prompts,
        model=candidate.model,
        parameters=[f"{name}={str(value).lower()}" for name, value in candidate.parameters.items()],
        limits=LIMITS,
        good=GOOD_SHARE,
        cached_share=0.0,
    )
    doing = f"load test of {candidate.option.upper()}"
    watcher = weighbridge.Watcher(on_progress=lambda share, _: say(share, doing))
    result = weighbridge.load_test(
        f"{address}{CHAT}",
        rate=settings.rate_of(candidate.option),
        duration=f"{settings.seconds:g}s",
        chat=chat,
        timeout=TIMEOUT,
        seed=settings.seed,
        watcher=watcher,
    )
    return result.to_dict()


def is_disturbed(load: Mapping[str, Any]) -> bool:
    """Whether a load test is invalid for a reason that lies with this machine, not with the server."""
    reasons = load["verdict"]["reasons"]
    return any(each["status"] == Status.INVALID and each["code"] not in OF_SERVER for each in reasons)


def labeled(document: Mapping[str, Any], candidate: ServedCandidate) -> dict[str, Any]:
    """Return a result whose metrics state their basis, and which says of a double that it is one, and its law."""
    basis = Basis.ESTIMATED if candidate.is_double else Basis.MEASURED
    metrics = {name: {**metric, "basis": basis.value} for name, metric in document["metrics"].items()}
    return {**document, "metrics": metrics, "double": law_words(candidate) or None}
