"""The evidence of a packet: claimed beside measured, costs, and the runs behind the figures."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from benchmarking.runs.domain.alternatives import Picture, VariantLine
from benchmarking.runs.queries.runs import RunView
from reviews.evidence.queries.fact_views import FactView, fact_views
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.domain.packet_evidence import Claim, Comparison, CostRow, Measurement, RunRow
from reviews.requests.domain import wording
from weighbridge.core import metrics as facts
from weighbridge.core.metrics import Figure

COSTS = {
    "training_cost_usd": "Training, once",
    "inference_cost_1y_usd": "Serving, one year",
    "total_cost_1y_usd": "Total, one year",
}
TOTAL = "total_cost_1y_usd"
P10_TO_P90 = Decimal("0.8")


def plain(number: Decimal | None) -> Decimal | None:
    """The number without the zeros that a database column adds, and without an exponent."""
    return None if number is None else Decimal(facts.number_words(number))


def business_metric(evidence: EvidenceSnapshot) -> str:
    """How far the business metric is expected to move, in percent with the basis; "" while nobody said."""
    figure = facts.best(evidence.figures, name="business_kpi_delta", now=evidence.now)
    if figure is None:
        return ""
    sign = "+" if figure.value > 0 else ""
    origin = f"{figure.basis}: {figure.source}" if figure.source else figure.basis.value
    return f"{sign}{facts.number_words(figure.value * 100)} % relative change ({origin})"


def comparisons(evidence: EvidenceSnapshot) -> tuple[Comparison, ...]:
    """One row for each fact that has a figure or a limit, in the order of the catalog."""
    verdicts = {str(row.pk): row.run.verdict if row.run else "" for row in evidence.facts}
    return tuple(_comparison(view, verdicts) for view in fact_views(evidence))


def costs(evidence: EvidenceSnapshot) -> tuple[CostRow, ...]:
    """What is known of training, serving and the total, each on its best basis."""
    found = {name: facts.best(evidence.figures, name=name, now=evidence.now) for name in COSTS}
    return tuple(_cost_row(name, figure) for name, figure in found.items() if figure is not None)


def run_rows(views: Sequence[RunView]) -> tuple[RunRow, ...]:
    """Every benchmark of the request, oldest first; one that gave no verdict shows its state instead."""
    return tuple(map(_run_row, views))


def latest_variants(views: Sequence[RunView]) -> tuple[tuple[VariantLine, ...], tuple[Picture, ...]]:
    """The cheaper variants of the latest run that measured some, and the charts drawn with them."""
    view = next((view for view in reversed(views) if view.variants), None)
    return (view.variants, view.pictures) if view else ((), ())


def _comparison(view: FactView, verdicts: Mapping[str, str]) -> Comparison:
    return Comparison(
        name=view.kind.name,
        unit=view.kind.unit,
        direction=view.kind.direction.value,
        claimed=_claim(view.claimed) if view.claimed else None,
        measured=_measurement(view.measured, verdicts[view.measured.id]) if view.measured else None,
        limit=plain(view.limit.value) if view.limit else None,
        is_contradicted=bool(view.contradiction),
        contradiction=view.contradiction,
        answer=view.answer,
        answered_by=view.answered_by,
    )


def _claim(figure: Figure) -> Claim:
    return Claim(value=_plain(figure.value), basis=figure.basis.value, source=figure.source)


def _measurement(figure: Figure, verdict: str) -> Measurement:
    return Measurement(
        value=_plain(figure.value),
        lower=plain(figure.lower),
        upper=plain(figure.upper),
        confidence=plain(figure.confidence),
        n=figure.n,
        basis=figure.basis.value,
        source=figure.source,
        verdict=verdict,
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
