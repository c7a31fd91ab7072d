"""The style guide: all components in all states, with sample data."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from governance.site.domain.charts.metric_scales import MetricScale, ScaleLimit, metric_scale
from governance.site.web.charts.specimens import specimens as chart_specimens
from governance.site.web.status_badges import BADGES
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import Direction
from weighbridge.core.metrics.values import MetricValue

_SEEN_AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
_COLORS = "face surface sunken line line-strong accent accent-wash ok ok-wash warn warn-wash bad bad-wash"
_ICONS = "search theme plus arrow upload download link file inbox copy close clock info"
_TEXTS = "3xl 2xl xl l m s xs"


_HEADS = {
    "draft": "Requests",
    "approved": "Decisions and votes",
    "active": "Authorizations",
    "advised": "Policy evaluations and rules",
    "queued": "Runs and verdicts",
    "pending": "Effects",
    "published": "Documents",
}
"""The heads over the badges, by the first state below them."""


class SpecimenForm(forms.Form):
    """One field of each kind."""

    title = forms.CharField(help_text="The name that reviewers see.")
    environment = forms.ChoiceField(choices=[("prod", "Production"), ("staging", "Staging")])
    gpu_hours = forms.DecimalField(label="Training GPU hours", required=False, help_text="Total of all devices.")
    purpose = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    choice = forms.ChoiceField(
        label="Your vote", widget=forms.RadioSelect, choices=[("approve", "Approve"), ("reject", "Reject")]
    )
    model_file = forms.FileField(required=False, help_text="ONNX or safetensors; pickle files are refused.")
    attested = forms.BooleanField(label="A rollback has been rehearsed", required=False)


class SpecimenFilter(forms.Form):
    """A search and a choice, as above a list."""

    q = forms.CharField(label="Search", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    state = forms.ChoiceField(label="State", required=False, choices=[("", "Any"), ("in_review", "In review")])


def _figure(name: str, unit: str, value: str, basis: Basis, bounds: str = "", n: int | None = None) -> MetricValue:
    """`bounds` is "lower upper confidence"."""
    interval: dict[str, Any] = dict(zip(("lower", "upper", "confidence"), map(Decimal, bounds.split()), strict=False))
    return MetricValue(name=name, value=Decimal(value), unit=unit, basis=basis, observed_at=_SEEN_AT, n=n, **interval)


def _figures() -> dict[str, MetricValue]:
    p95, cost = ("latency_p95_ms", "ms"), ("total_cost_1y_usd", "USD")
    return {
        "declared": _figure(*p95, "9", Basis.DECLARED),
        "measured": _figure(*p95, "12.41", Basis.MEASURED, "12.05 12.97 0.99", 4096),
        "slow": _figure(*p95, "98.2", Basis.MEASURED, "94.0 103.5 0.99", 512),
        "accuracy": _figure("accuracy", "ratio", "0.9127", Basis.MEASURED, "0.9071 0.9181 0.95", 10000),
        "cost": _figure(*cost, "48210.75", Basis.ESTIMATED, "41000 61500 0.8"),
        "billed": _figure("inference_cost_1y_usd", "USD", "2310.40", Basis.BILLED),
    }


def _scales() -> tuple[MetricScale, ...]:
    """A metric of each status: its rule holds, is indeterminate or fires, without a value, and without a limit."""
    figures, lower, higher = _figures(), Direction.LOWER, Direction.HIGHER
    p95: dict[str, Any] = {
        "unit": "ms",
        "direction": lower,
        "limit": ScaleLimit(Decimal(100), "at most", is_upper=True, status="passed"),
        "production": Decimal("18.2"),
    }
    slow = {**p95, "limit": replace(p95["limit"], status="fired")}
    cost: dict[str, Any] = {
        "unit": "USD",
        "direction": lower,
        "limit": ScaleLimit(Decimal(60000), "at most", is_upper=True, status="fired"),
    }
    accuracy = ScaleLimit(Decimal("0.92"), "at least", is_upper=False, status="fired")
    energy = ScaleLimit(Decimal("0.5"), "at most", is_upper=True, status="indeterminate")
    rows = (
        metric_scale("Latency p95", measured=figures["measured"], claimed=Decimal(9), **p95),
        metric_scale("Latency p99", measured=figures["slow"], **slow),
        metric_scale("Accuracy", unit="ratio", direction=higher, measured=figures["accuracy"], limit=accuracy),
        metric_scale("Total cost, 1 year", measured=figures["cost"], claimed=Decimal(39000), **cost),
        metric_scale("Training cost", unit="USD", direction=lower, measured=figures["billed"]),
        metric_scale("Energy", unit="Wh", direction=lower, claimed=Decimal("0.4"), limit=energy),
    )
    return (*rows, replace(rows[1], title="Time to first byte", measured=Decimal(120), low=None, high=None, n=None))


def _badges_by_kind() -> Iterable[tuple[str, list[str]]]:
    groups: list[tuple[str, list[str]]] = []
    for state in BADGES:
        if state in _HEADS:
            groups.append((_HEADS[state], []))
        groups[-1][1].append(state)
    return groups


def _row(name: str, *figures: str) -> tuple[Any, ...]:
    return name, *({"text": figure, "kind": "number"} for figure in figures)


def _change(path: str, before: str | None, after: str, words: str) -> dict[str, str | None]:
    return {"path": path, "before": before, "after": after, "words": words}


def _event(who: str, words: str, note: str) -> dict[str, Any]:
    return {"at": _SEEN_AT, "who": who, "words": words, "note": note}


def specimens() -> dict[str, Any]:
    """The template context of the style guide."""
    return {
        "figures": _figures(),
        "scales": _scales(),
        "charts": chart_specimens(),
        "limit": Decimal(100),
        "floor": Decimal("0.80"),
        "badges_by_kind": _badges_by_kind(),
        "bases": tuple(str(basis) for basis in Basis),
        "colors": _COLORS,
        "texts": _TEXTS,
        "icons": _ICONS,
        "form": SpecimenForm(),
        "refused": SpecimenForm({"title": "", "environment": "prod", "gpu_hours": "many"}),
        "filter_form": SpecimenFilter({"q": "fashion"}),
        "page": Paginator(range(1, 2312), 50).page(3),
        "columns": (("Model", ""), ("p95 (ms)", "number"), ("Size (MB)", "number"), ("Accuracy (%)", "number")),
        "rows": (
            _row("fashion-cnn 3", "12.41", "1.69", "91.27"),
            _row("fashion-cnn 3, INT8", "7.08", "0.44", "90.94"),
        ),
        "road": (
            {"word": "Draft", "state": "done", "note": "20 Nov"},
            {"word": "Screening", "state": "done"},
            {"word": "Evidence", "state": "done", "note": "2 runs"},
            {"word": "In review", "state": "current", "note": "1 of 2 votes"},
            {"word": "Decided", "state": "to_come"},
        ),
        "stopped": (
            {"word": "Draft", "state": "done"},
            {"word": "Screening", "state": "done"},
            {"word": "Rejected", "state": "stopped", "note": "22 Nov"},
        ),
        "changes": (
            _change("rules[0].limit", "200 gpu_h", "500 gpu_h", "The limit of training_gpu_hours was raised"),
            _change("rules[3]", None, "error_rate (upper) at most 0.01", "A rule was added"),
            _change("title", "Default", "Default policy", ""),
        ),
        "events": (
            _event("Rosa Reyes", "voted to approve.", "Latency and quality are well within their limits."),
            _event("", "Benchmark run 17 finished; its result is valid.", ""),
        ),
        "crumbs": (("Requests", "/requests/"), ("MRR-2026-0042", "")),
        "digest": "sha256:" + "4f1d09be77c2" * 5 + "4f1d",
        "budget": {
            "allocated": Decimal(2000),
            "committed": Decimal(760),
            "reserved": Decimal(300),
            "this": Decimal(240),
            "available": Decimal(940),
            "after": Decimal(700),
        },
    }


def styleguide(request: HttpRequest) -> HttpResponse:
    """`/styleguide/`: the components with sample data."""
    return render(request, "governance/site/styleguide.html", specimens())
