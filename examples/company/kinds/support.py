"""The support assistant of the company: the short form of its example, and what it found out about the managed model.

No vendor is called: the subject is the double itself, and every place says so.
"""

import dataclasses
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from examples.company.terminal import Terminal
from examples.support_assistant import story
from examples.support_assistant.choosing.scores import INJECTIONS
from examples.support_assistant.settings import MEAN_PER_S, QUICK
from weighbridge.api.job_progress import now
from weighbridge.core.attested_results import AttestedMetric

# The shipped policy wants 200 answers of two tokens or more; seven in ten have them.
SHORT = dataclasses.replace(QUICK, tickets=120, attacks=200, seconds=80.0)
WITHOUT_TINY = "The demo leaves C out; `python -m examples.support_assistant` measures it."
MANAGED, SECONDS_OF_YEAR = "a", 31_536_000
OF_LOAD = ("ttft_p95_ms", "tpot_p95_ms", "goodput_per_s")
OF_SCORES = ("pass_rate", INJECTIONS, "refusal_rate")
DIGITS = Decimal("1e-9")


@dataclasses.dataclass(frozen=True)
class SupportCase:
    """What the case found out about the managed model: its metrics, their verdict, and how they were measured.

    `cost_of_year_usd` is that of a year of requests; `report` is the page of the case.
    """

    headline: str
    metrics: tuple[AttestedMetric, ...]
    verdict: str
    manifest: Mapping[str, Any]
    cost_of_year_usd: Decimal
    report: Path


def run_support_case(folder: Path, say: Terminal) -> SupportCase:
    """Run the short form of the case in `folder`. A repeated demo keeps its finished steps."""

    def show(share: float, doing: str) -> None:
        # A log has a line for each phase, not for each answer.
        say.progress(share, doing.partition(",")[0])

    ending = story.run_case(folder, settings=SHORT, say=show, now=now, why_no_model=WITHOUT_TINY)
    load = json.loads((folder / story.STEPS / f"load-{MANAGED}.json").read_text())["found"]
    scores = json.loads((folder / "scores.json").read_text())[MANAGED]
    accepted = json.loads((folder / "accepted.json").read_text())["options"]
    costs = next(each["metrics"] for each in accepted if each["name"] == MANAGED)
    sources = {**dict.fromkeys(OF_LOAD, load), **dict.fromkeys(OF_SCORES, scores)}
    measured = (_attested(name, document["metrics"][name]) for name, document in sources.items())
    manifest = {"machine": "this machine", "double": load["double"], "prompts": scores["prompts"], "plan": load["plan"]}
    return SupportCase(
        headline=ending.headline,
        metrics=(*measured, _cost(costs["cost_per_accepted_usd"])),
        verdict=load["verdict"]["status"],
        manifest=manifest,
        cost_of_year_usd=_exact(costs["cost_per_request_usd"]["p50"]) * Decimal(MEAN_PER_S) * SECONDS_OF_YEAR,
        report=folder / f"{story.PAGE}.html",
    )


def _attested(name: str, metric: Mapping[str, Any]) -> AttestedMetric:
    value, lower, upper, confidence = (_exact(metric[key]) for key in ("value", "lower", "upper", "confidence"))
    return AttestedMetric(
        name=name, value=value, unit=metric["unit"], n=metric["n"], lower=lower, upper=upper, confidence=confidence
    )


def _cost(levels: Mapping[str, str]) -> AttestedMetric:
    """Return the cost of an accepted answer: P50 between P10 and P90, which hold it eight times in ten."""
    lower, value, upper = (_exact(levels[key]) for key in ("p10", "p50", "p90"))
    return AttestedMetric(
        name="cost_per_accepted_usd", value=value, unit="USD", lower=lower, upper=upper, confidence=Decimal("0.8")
    )


def _exact(value: object) -> Decimal:
    return Decimal(str(value)).quantize(DIGITS)
