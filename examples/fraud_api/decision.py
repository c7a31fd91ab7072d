"""Weighing: the decision matrix of the case: Cost at Scale, Latency, Accuracy, Development Time."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from examples.fraud_api.costing import OPTIONS
from examples.fraud_api.load_tests import metric_of
from examples.fraud_api.settings import LIMIT_MS, FraudSettings
from weighbridge.core.metrics.basis import Basis
from weighbridge.costs.projection import Projection
from weighbridge.costs.uncertainty import levels_of
from weighbridge.tradeoff.axes import AxisDirection
from weighbridge.tradeoff.candidates import Estimate
from weighbridge.tradeoff.matrix.decided import MatrixDecision, decide
from weighbridge.tradeoff.matrix.decision_matrix import Criterion, Matrix, MatrixCell, MatrixOption
from weighbridge.tradeoff.matrix.weights import Judgment, ahp

COST, LATENCY, ACCURACY, TIME = "cost", "latency", "accuracy", "development"
CRITERIA = (
    Criterion(id=COST, name="Cost at Scale", unit="USD/year", direction=AxisDirection.MIN),
    Criterion(id=LATENCY, name="Latency", unit="ms", direction=AxisDirection.MIN, gate=LIMIT_MS),
    Criterion(id=ACCURACY, name="Accuracy", unit="1", direction=AxisDirection.MAX),
    Criterion(id=TIME, name="Development Time", unit="weeks", direction=AxisDirection.MIN),
)
JUDGMENTS = (
    Judgment(COST, LATENCY, 2),
    Judgment(COST, ACCURACY, 1),
    Judgment(COST, TIME, 3),
    Judgment(ACCURACY, LATENCY, 2),
    Judgment(LATENCY, TIME, 2),
    Judgment(ACCURACY, TIME, 3),
)
QUESTION = "Which detector scores up to 1,000 transactions a second, 95 % of them within 200 ms, at what cost?"
METRIC = "equivalent_annual_usd"


@dataclasses.dataclass(frozen=True)
class Weighed:
    """The decision, and the same with C at the recall that four times the data would bring (None if unknown)."""

    decision: MatrixDecision
    at_ceiling: MatrixDecision | None


def choose_option(
    settings: FraudSettings,
    projection: Projection,
    trainings: Mapping[str, Mapping[str, Any]],
    tests: Mapping[str, Mapping[str, Any]],
    curve: Mapping[str, Any] | None,
) -> Weighed:
    """Fill the matrix and decide it."""
    weights = ahp([each.id for each in CRITERIA], JUDGMENTS)
    accuracy = {
        "a": _declared_recall(settings),
        "b": _cell(trainings["b"]["recall"], Basis.MEASURED, f"{settings.test_rows:,} generated test transactions"),
        "c": _c_now(trainings["c"], curve),
    }
    options = tuple(
        MatrixOption(
            title,
            {
                COST: _cost(projection, option),
                LATENCY: _latency(tests[option]["load"], option),
                ACCURACY: accuracy[option],
                TIME: _weeks(settings, option),
            },
        )
        for option, title in OPTIONS.items()
    )
    matrix = Matrix(
        title="Which fraud detector", question=QUESTION, criteria=CRITERIA, weights=weights, options=options
    )
    found = decide(matrix, draws=settings.draws, seed=settings.seed)
    if curve is None:
        return Weighed(found, None)
    lifted = dataclasses.replace(options[2], cells={**options[2].cells, ACCURACY: _expected(curve, -1)})
    other = dataclasses.replace(matrix, options=(*options[:2], lifted))
    return Weighed(found, decide(other, draws=settings.draws, seed=settings.seed))


def _declared_recall(settings: FraudSettings) -> MatrixCell:
    value, lower, upper = settings.declared.recall
    return MatrixCell(
        Estimate(value, lower, upper, 0.9, 1, "1"), Basis.DECLARED, "settings of the case; no vendor's model was called"
    )


def _c_now(trained: Mapping[str, Any], curve: Mapping[str, Any] | None) -> MatrixCell:
    """Return what the learning curve expects of C with the data at hand; without a curve, what its prototype scored."""
    if curve is None:
        return _cell(trained["recall"], Basis.MEASURED, "prototype on the test transactions; no learning curve fits")
    return _expected(curve, 0)


def _expected(curve: Mapping[str, Any], place: int) -> MatrixCell:
    row = curve["expected"][place]
    metric = Estimate(row["value"], row["lower"], row["upper"], curve["confidence"], len(curve["points"]), "1")
    return MatrixCell(metric, Basis.ESTIMATED, f"learning curve at {row['rows']:,} labeled transactions")


def _cell(found: Mapping[str, Any], basis: Basis, source: str, unit: str = "1") -> MatrixCell:
    return MatrixCell(
        Estimate(found["value"], found["lower"], found["upper"], found["confidence"], found["n"], unit), basis, source
    )


def _cost(projection: Projection, option: str) -> MatrixCell:
    """Return the equivalent annual cost: P50 between P10 and P90, which hold it eight times in ten."""
    levels = levels_of(projection.of(option).metrics[METRIC])
    metric = Estimate(levels["p50"], levels["p10"], levels["p90"], 0.8, projection.draws, "USD/year")
    return MatrixCell(metric, Basis.ESTIMATED, "projection over 3 years, all costs, as an even yearly payment")


def _latency(load: Mapping[str, Any], option: str) -> MatrixCell:
    """Return p95 of the response time; that of the stand-in is declared, however exactly it was measured."""
    found = metric_of(dict(load), "response_time_p95_ms")
    verdict = load["verdict"]["status"]
    if option == "a":
        return _cell(found, Basis.DECLARED, f"load test of a local stand-in that behaves as declared, {verdict}", "ms")
    return _cell(found, Basis.MEASURED, f"load test of a local server, {verdict}", "ms")


def _weeks(settings: FraudSettings, option: str) -> MatrixCell:
    low, high = settings.declared.weeks[option]
    metric = Estimate(round(math.sqrt(low * high), 1), low, high, 0.9, 1, "weeks")
    return MatrixCell(metric, Basis.DECLARED, "settings of the case")
