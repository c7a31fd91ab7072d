"""The evidence of a packet: claimed beside measured, costs, and the runs behind the figures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from benchmarking.runs.queries import runs
from benchmarking.runs.queries.runs import RunView
from governance.rulebook.domain.evaluation import RuleStatus
from reviews.evidence.queries.evidence import AnsweredContradiction, contradictions_of, determine, figure_of
from reviews.packets.domain.packet_evidence import (
    Claim,
    Comparison,
    CostRow,
    Measurement,
    PictureRow,
    RunRow,
    VariantRow,
)
from reviews.requests.domain import wording
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import policy_of
from weighbridge.core import metrics as facts
from weighbridge.core.metrics import CATALOGUE, Basis, Direction, Figure

COSTS = {
    "training_cost_usd": "Training, once",
    "inference_cost_1y_usd": "Serving, one year",
    "total_cost_1y_usd": "Total, one year",
}
TOTAL = "total_cost_1y_usd"
CLAIMED = frozenset({Basis.DECLARED, Basis.ESTIMATED})
MEASURED = facts.stronger_or_equal(Basis.MEASURED)
P10_TO_P90 = Decimal("0.8")


@dataclass(frozen=True)
class KnownFigure:
    """A figure with the verdict of the run that measured it; "" where no run did."""

    figure: Figure
    verdict: str


def plain(number: Decimal | None) -> Decimal | None:
    """The number without the zeros that a database column adds, and without an exponent."""
    return None if number is None else Decimal(facts.number_words(number))


def known_figures(request: ReviewRequest) -> list[KnownFigure]:
    """Every figure ever stated of the request, oldest first."""
    rows = request.facts.select_related("run").order_by("pk")
    return [KnownFigure(figure_of(row), row.run.verdict if row.run else "") for row in rows]


def business_metric(known: Sequence[KnownFigure], *, now: datetime) -> str:
    """How far the business metric is expected to move, in percent with the basis; "" while nobody said."""
    figure = facts.best(_figures(known), name="business_kpi_delta", now=now)
    if figure is None:
        return ""
    sign = "+" if figure.value > 0 else ""
    origin = f"{figure.basis}: {figure.source}" if figure.source else figure.basis.value
    return f"{sign}{facts.number_words(figure.value * 100)} % relative change ({origin})"


def comparisons(request: ReviewRequest, *, known: Sequence[KnownFigure], now: datetime) -> tuple[Comparison, ...]:
    """One row for each fact that has a figure or a limit, in the order of the catalogue."""
    limits = _limits(request, now=now)
    contradicted = {each.contradiction.name: each for each in contradictions_of(request, now=now)}
    present = {one.figure.name for one in known} | limits.keys()
    return tuple(
        _comparison(name, known, limits.get(name), contradicted.get(name), now) for name in CATALOGUE if name in present
    )


def costs(known: Sequence[KnownFigure], *, now: datetime) -> tuple[CostRow, ...]:
    """What is known of training, serving and the total, each on its best basis."""
    found = {name: facts.best(_figures(known), name=name, now=now) for name in COSTS}
    return tuple(_cost_row(name, figure) for name, figure in found.items() if figure is not None)


def run_rows(request: ReviewRequest) -> tuple[RunRow, ...]:
    """Every benchmark of the request, oldest first; one that gave no verdict shows its state instead."""
    return tuple(_run_row(runs.describe(run)) for run in runs.of_request(request.ref))


def variant_rows(request: ReviewRequest) -> tuple[VariantRow, ...]:
    """The cheaper variants of the latest run that measured some."""
    view = _latest_variants(request)
    return tuple(VariantRow(**asdict(line)) for line in view.variants) if view else ()


def picture_rows(request: ReviewRequest) -> tuple[PictureRow, ...]:
    """The charts drawn with them."""
    view = _latest_variants(request)
    return tuple(PictureRow(**asdict(picture)) for picture in view.pictures) if view else ()


def _latest_variants(request: ReviewRequest) -> RunView | None:
    views = [runs.describe(run) for run in runs.of_request(request.ref)]
    return next((view for view in reversed(views) if view.variants), None)


def _figures(known: Sequence[KnownFigure]) -> list[Figure]:
    return [one.figure for one in known]


def _limits(request: ReviewRequest, *, now: datetime) -> dict[str, Decimal]:
    """The tightest limit the policy sets each fact for this subject."""
    if request.policy is None:
        return {}
    results = determine(request, now=now).results
    applying = {result.rule_id for result in results if result.status is not RuleStatus.NOT_APPLICABLE}
    limits: dict[str, list[Decimal]] = {}
    for rule in policy_of(request.policy).rules:
        if rule.id in applying:
            limits.setdefault(rule.fact, []).append(rule.limit)
    return {
        name: min(found) if CATALOGUE[name].direction is Direction.LOWER else max(found)
        for name, found in limits.items()
    }


def _comparison(
    name: str,
    known: Sequence[KnownFigure],
    limit: Decimal | None,
    contradicted: AnsweredContradiction | None,
    now: datetime,
) -> Comparison:
    kind = CATALOGUE[name]
    return Comparison(
        name=name,
        unit=kind.unit,
        direction=kind.direction.value,
        claimed=_claim(name, known, now),
        measured=_measurement(name, known, now),
        limit=plain(limit),
        is_contradicted=contradicted is not None,
        contradiction=contradicted.contradiction.message if contradicted else "",
        answer=contradicted.answer if contradicted else "",
        answered_by=contradicted.answered_by if contradicted else "",
    )


def _claim(name: str, known: Sequence[KnownFigure], now: datetime) -> Claim | None:
    """The latest claim, as contradictions take it: whoever corrects a figure downwards in basis still corrects it."""
    claims = [figure for figure in _figures(known) if figure.name == name and figure.basis in CLAIMED]
    latest_at = max((figure.observed_at for figure in claims), default=None)
    figure = facts.best([one for one in claims if one.observed_at == latest_at], name=name, now=now)
    if figure is None:
        return None
    return Claim(value=_plain(figure.value), basis=figure.basis.value, source=figure.source)


def _measurement(name: str, known: Sequence[KnownFigure], now: datetime) -> Measurement | None:
    figure = facts.best(_figures(known), name=name, now=now, accept=MEASURED)
    if figure is None:
        return None
    verdicts = {one.figure.id: one.verdict for one in known}
    return Measurement(
        value=_plain(figure.value),
        lower=plain(figure.lower),
        upper=plain(figure.upper),
        confidence=plain(figure.confidence),
        n=figure.n,
        basis=figure.basis.value,
        source=figure.source,
        verdict=verdicts[figure.id],
    )


def _cost_row(name: str, figure: Figure) -> CostRow:
    is_p10_to_p90 = figure.confidence == P10_TO_P90
    return CostRow(
        label=COSTS[name],
        value_usd=_plain(figure.value),
        lower_usd=plain(figure.lower) if is_p10_to_p90 else None,
        upper_usd=plain(figure.upper) if is_p10_to_p90 else None,
        basis=figure.basis.value,
        source=figure.source if is_p10_to_p90 else "; ".join(filter(None, (figure.source, _range_words(figure)))),
        is_total=name == TOTAL,
    )


def _range_words(figure: Figure) -> str:
    """A range that is not P10 to P90, said in words, so that no column claims it is."""
    words = wording.interval_words(lower=figure.lower, upper=figure.upper, unit=figure.unit)
    certainty = f" at {facts.number_words(figure.confidence * 100)} %" if figure.confidence else ""
    return f"range {words}{certainty}" if words else ""


def _plain(number: Decimal) -> Decimal:
    return Decimal(facts.number_words(number))


def _run_row(view: RunView) -> RunRow:
    return RunRow(
        run_id=str(view.id),
        scenario=view.scenario,
        verdict=view.verdict or view.state,
        reasons=view.reasons or ((view.error,) if view.error else ()),
        manifest_digest=str(view.manifest.get("digest", "")),
        isolation=view.isolation or ("isolation not recorded" if view.manifest else "nothing recorded"),
        machine=_machine_words(view.manifest),
        finished_at=view.finished_at,
    )


def _machine_words(manifest: dict[str, Any]) -> str:
    """Processor, cores and engine, as far as the manifest says."""
    machine, engine = manifest.get("machine", {}), manifest.get("engine", {})
    name = str(engine.get("engine", ""))
    version = str(manifest.get("libraries", {}).get(name, ""))
    cores = f"{machine['cpus_usable']} cores" if "cpus_usable" in machine else ""
    return ", ".join(part for part in (cores, str(machine.get("cpu", "")), f"{name} {version}".strip()) if part)
