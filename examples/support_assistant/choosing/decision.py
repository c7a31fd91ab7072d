"""Weighing: the frontier, the decision matrix, and which figures count as measured.

A double never satisfies an item that asks for a measured figure: its answers and times are declared, so that what was
read from it here is estimated, with whatever precision it was read.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import weighbridge
from examples.support_assistant import load_tests
from examples.support_assistant.choosing.costing import Records
from examples.support_assistant.choosing.scores import INJECTIONS, basis_of
from examples.support_assistant.settings import GOOD_SHARE, TITLES, SupportSettings
from weighbridge.core.metrics.basis import Basis, stronger_or_equal
from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.axes import AxisDirection
from weighbridge.tradeoff.candidates import Candidate, Candidates, Estimate, VariantAnswer, VariantVerdict
from weighbridge.tradeoff.matrix.decided import MatrixDecision, decide
from weighbridge.tradeoff.matrix.decision_matrix import Criterion, Matrix, MatrixCell, MatrixOption
from weighbridge.tradeoff.matrix.weights import direct

COST, QUALITY, SPEED = "cost", "quality", "speed"
CRITERIA = (
    Criterion(id=COST, name="Cost of an accepted answer", unit="USD", direction=AxisDirection.MIN),
    Criterion(id=QUALITY, name="Right answers", unit="1", direction=AxisDirection.MAX),
    Criterion(id=SPEED, name="Answers within the limits", unit="1", direction=AxisDirection.MAX, gate=GOOD_SHARE),
)
QUESTION = "Who answers the questions of our customers: an API, an open model, a tiny one, or a specialist of our own?"
AXES = ("pass_rate:max", "cost_per_accepted_usd:min", "good_share:max")
LOAD_TEST = "weighbridge.load/1"
# What an approval asks for as measured, and the result that has it.
REQUIRED: Mapping[str, str] = {
    "pass_rate": "scores",
    INJECTIONS: "scores",
    "ttft_p95_ms": "load",
    "goodput_per_s": "load",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class CaseResults:
    """What every candidate came to, by letter; `why_without` says why one was left out."""

    scores: Records
    loads: Records
    accepted: Mapping[str, Any]
    why_without: Mapping[str, str]

    def cost(self, option: str) -> Mapping[str, Any] | None:
        """Return the entry of an option in the cost of accepted answers; None if it has none."""
        return next((each for each in self.accepted["options"] if each["name"] == option), None)


@dataclasses.dataclass(frozen=True)
class RequiredFigure:
    """One required figure of one candidate: its value if there is one, its basis, and whether it counts as measured."""

    option: str
    metric: str
    value: float | None
    unit: str
    basis: Basis
    is_satisfied: bool
    why: str


def evidence(results: CaseResults) -> tuple[RequiredFigure, ...]:
    """Return every required figure of every candidate."""
    return tuple(
        _evidence(option, metric, (results.scores if source == "scores" else results.loads)[option])
        for option in results.scores
        for metric, source in REQUIRED.items()
    )


def _evidence(option: str, metric: str, document: Mapping[str, Any]) -> RequiredFigure:
    found, basis = document["metrics"].get(metric), basis_of(option)
    is_load = document["schema"] == LOAD_TEST
    # A server that fails, or is too slow, is a finding: goodput counts what it did not answer in time.
    is_invalid = load_tests.is_disturbed(document) if is_load else document["verdict"]["status"] == Status.INVALID
    why = "measured here"
    if basis not in stronger_or_equal(Basis.MEASURED):
        why = "read from a double"
    elif found is None:
        why = next((each["message"] for each in document["missing"] if each["metric"] == metric), "not measured")
    elif is_invalid:
        why = "the verdict of the measurement is invalid"
    value, unit = (None, "") if found is None else (found["value"], found["unit"])
    return RequiredFigure(option, metric, value, unit, basis, why == "measured here", why)


def is_measured(found: Sequence[RequiredFigure], option: str) -> bool:
    """Whether every required figure of a candidate counts as measured."""
    return all(each.is_satisfied for each in found if each.option == option)


def frontier(results: CaseResults, settings: SupportSettings, measured_at: str) -> tuple[Candidates, dict[str, Any]]:
    """Return the candidates, and who of them no other one dominates in quality, cost and speed."""
    verdict = VariantVerdict(VariantAnswer.UNCOMPARED)
    candidates = tuple(
        Candidate(
            name=TITLES[option],
            family=option,
            made_by="double" if basis_of(option) is Basis.ESTIMATED else "measured here",
            metrics=dict(_estimates(results, option)),
            verdict=verdict,
        )
        for option in results.scores
    )
    choice = Candidates(measured_at=measured_at, baseline=candidates[0].name, candidates=candidates)
    document = json.loads(json.dumps(choice.as_document()))
    found = weighbridge.pareto(document, axis=AXES, draws=min(settings.draws, 4_000), seed=settings.seed)
    return choice, found.to_dict()


def _estimates(results: CaseResults, option: str) -> Iterator[tuple[str, Estimate]]:
    for source, names in ((results.scores, ("pass_rate",)), (results.loads, ("good_share", "ttft_p95_ms"))):
        metrics = source[option]["metrics"]
        yield from ((name, _estimate(metrics[name])) for name in names if name in metrics)
    cost = results.cost(option)
    if cost is not None:
        yield "cost_per_accepted_usd", _cost(cost)


def choose(results: CaseResults, settings: SupportSettings) -> MatrixDecision:
    """Fill the matrix and decide it; an option without a cost or a speed is excluded with its reason."""
    options = tuple(_option(results, option) for option in TITLES)
    matrix = Matrix(
        title="Which support assistant",
        question=QUESTION,
        criteria=CRITERIA,
        weights=direct(settings.declared.weights),
        options=options,
    )
    return decide(matrix, draws=settings.draws, seed=settings.seed)


def _option(results: CaseResults, option: str) -> MatrixOption:
    title = TITLES[option]
    if option in results.why_without:
        return MatrixOption(title, {}, excluded=results.why_without[option])
    cost, share = results.cost(option), results.loads[option]["metrics"].get("good_share")
    if cost is None or share is None:
        text = "Next to none of its answers came within the limits of its load test: no number of replicas is priced."
        return MatrixOption(title, {}, excluded=text)
    basis, verdict = basis_of(option), results.loads[option]["verdict"]["status"]
    whose = "a double" if basis is Basis.ESTIMATED else "a server on this machine"
    return MatrixOption(
        title,
        {
            COST: MatrixCell(_cost(cost), Basis.ESTIMATED, "price book, scored answers, and a person for the others"),
            QUALITY: MatrixCell(
                _estimate(results.scores[option]["metrics"]["pass_rate"]), basis, f"generated tickets, asked of {whose}"
            ),
            SPEED: MatrixCell(_estimate(share), basis, f"load test of {whose}, {verdict}"),
        },
    )


def _estimate(found: Mapping[str, Any]) -> Estimate:
    unit = "1" if found["unit"] == "ratio" else found["unit"]
    return Estimate(found["value"], found["lower"], found["upper"], found["confidence"], found["n"], unit)


def _cost(entry: Mapping[str, Any]) -> Estimate:
    """Return the cost of an accepted answer: P50 between P10 and P90, which hold it eight times in ten."""
    levels = {name: float(value) for name, value in entry["metrics"]["cost_per_accepted_usd"].items()}
    return Estimate(levels["p50"], levels["p10"], levels["p90"], 0.8, entry["runs"]["items"], "USD")
