"""Read the evidence of a packet: claims and measurements, costs, and benchmark runs."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from benchmarking.runs.domain.alternatives import Picture, VariantLine
from benchmarking.runs.queries.runs import RunView
from reviews.evidence.queries.imported import imported_views
from reviews.evidence.queries.metric_views import MetricView, metric_views, verdict_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.domain.packet_evidence import Claim, ClaimComparison, CostRow, MeasurementPart, RunRow, StudyPart
from reviews.requests.domain import wording
from reviews.requests.domain.copies import copy_of
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue, best, number_text

COSTS = {
    "training_cost_usd": "Training, once",
    "inference_cost_1y_usd": "Serving, one year",
    "total_cost_1y_usd": "Total, one year",
}
TOTAL = "total_cost_1y_usd"
P10_TO_P90 = Decimal("0.8")


def plain(number: Decimal | None) -> Decimal | None:
    """The number without trailing zeros from the database and without an exponent."""
    return None if number is None else Decimal(number_text(number))


def business_metric(evidence: EvidenceSnapshot) -> str:
    """The expected change of the business metric, in percent with its basis; "" if unknown."""
    metric_value = best(evidence.own_values, name="business_kpi_delta", catalog=STANDARD)
    if metric_value is None:
        return ""
    sign = "+" if metric_value.value > 0 else ""
    origin = f"{metric_value.basis}: {metric_value.source}" if metric_value.source else metric_value.basis.value
    return f"{sign}{number_text(metric_value.value * 100)} % relative change ({origin})"


def comparisons(evidence: EvidenceSnapshot) -> tuple[ClaimComparison, ...]:
    """One row for each metric that has a metric value or a limit, in the order of the catalog."""
    verdicts = {str(row.pk): verdict_of(row) for row in evidence.metric_records}
    return tuple(_comparison(view, verdicts) for view in metric_views(evidence))


def costs(evidence: EvidenceSnapshot) -> tuple[CostRow, ...]:
    """The known costs of training, serving and in total, each with the value that counts."""
    values = {name: best(evidence.counted_values, name=name, catalog=STANDARD) for name in COSTS}
    return tuple(_cost_row(name, metric_value) for name, metric_value in values.items() if metric_value is not None)


def run_rows(views: Sequence[RunView]) -> tuple[RunRow, ...]:
    """Every benchmark of the request, oldest first; a run without a verdict shows its state instead."""
    return tuple(map(_run_row, views))


def latest_variants(views: Sequence[RunView]) -> tuple[tuple[VariantLine, ...], tuple[Picture, ...]]:
    """The cheaper variants of the latest run that has some, and their charts."""
    view = next((view for view in reversed(views) if view.variants), None)
    return (view.variants, view.pictures) if view else ((), ())


def study_parts(request: ReviewRequest) -> tuple[StudyPart, ...]:
    """Every attached study, oldest first."""
    studies = [(view, view.study) for view in reversed(imported_views(request)) if view.study is not None]
    return tuple(
        copy_of(
            view,
            StudyPart,
            number=number,
            title=study.title,
            conclusions=study.conclusions,
            details=study.details,
            attached_by=view.imported_by,
            attached_at=view.imported_at,
            chart_alt=study.chart.alt,
            chart_svg=study.chart.svg,
        )
        for number, (view, study) in enumerate(studies, 1)
    )


def _comparison(view: MetricView, verdicts: Mapping[str, str]) -> ClaimComparison:
    return copy_of(
        view,
        ClaimComparison,
        name=view.kind.name,
        unit=view.kind.unit,
        direction=view.kind.direction.value,
        claimed=_claim(view.claimed) if view.claimed else None,
        derived=_claim(view.derived) if view.derived else None,
        on_record=_claim(view.on_record) if view.on_record else None,
        measured=_measurement(view.measured, verdicts[view.measured.id]) if view.measured else None,
        limit=plain(view.limit.value) if view.limit else None,
        is_contradicted=bool(view.contradiction),
    )


def _claim(metric_value: MetricValue) -> Claim:
    return Claim(value=_plain(metric_value.value), basis=metric_value.basis.value, source=metric_value.source)


def _measurement(metric_value: MetricValue, verdict: str) -> MeasurementPart:
    return MeasurementPart(
        value=_plain(metric_value.value),
        lower=plain(metric_value.lower),
        upper=plain(metric_value.upper),
        confidence=plain(metric_value.confidence),
        n=metric_value.n,
        basis=metric_value.basis.value,
        source=metric_value.source,
        verdict=verdict,
    )


def _cost_row(name: str, metric_value: MetricValue) -> CostRow:
    is_p10_to_p90 = metric_value.confidence == P10_TO_P90
    return CostRow(
        label=COSTS[name],
        value_usd=_plain(metric_value.value),
        lower_usd=plain(metric_value.lower) if is_p10_to_p90 else None,
        upper_usd=plain(metric_value.upper) if is_p10_to_p90 else None,
        basis=metric_value.basis.value,
        source=metric_value.source
        if is_p10_to_p90
        else "; ".join(filter(None, (metric_value.source, _range_words(metric_value)))),
        is_total=name == TOTAL,
    )


def _range_words(metric_value: MetricValue) -> str:
    """A range that is not P10 to P90, as text, because the column of the table shows only P10 to P90."""
    words = wording.interval_text(lower=metric_value.lower, upper=metric_value.upper, unit=metric_value.unit)
    certainty = f" at {number_text(metric_value.confidence * 100)} %" if metric_value.confidence else ""
    return f"range {words}{certainty}" if words else ""


def _plain(number: Decimal) -> Decimal:
    return Decimal(number_text(number))


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
    """Processor, cores and engine, as far as the manifest has them."""
    machine, engine = manifest.get("machine", {}), manifest.get("engine", {})
    name = str(engine.get("engine", ""))
    version = str(manifest.get("libraries", {}).get(name, ""))
    cores = f"{machine['cpus_usable']} cores" if "cpus_usable" in machine else ""
    return ", ".join(part for part in (cores, str(machine.get("cpu", "")), f"{name} {version}".strip()) if part)
