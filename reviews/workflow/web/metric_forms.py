"""The form of the metric values that a request claims."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django import forms

from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import named_metrics
from governance.site.web.formatting import unit_words
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.web.filing_forms import STATED, confirmation, decimal_field, shown_confirmation
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricGroup
from weighbridge.core.metrics.values import MetricValue

if TYPE_CHECKING:
    from decimal import Decimal

CLAIM_NOTE = "the benchmark measures these; the page shows your claim beside the measurement"
GROUPS = {
    MetricGroup.COST: "money and GPU hours",
    MetricGroup.BUSINESS: "the expected benefit",
    MetricGroup.QUALITY: CLAIM_NOTE,
    MetricGroup.SPEED: CLAIM_NOTE,
    MetricGroup.RESOURCES: "hours by accelerator, processors, memory, energy",
}
ALWAYS_SHOWN = frozenset(
    {
        *("training_gpu_hours", "training_cost_usd", "inference_cost_1y_usd", "total_cost_1y_usd", "cost_per_1k_usd"),
        *("business_kpi_delta", "accuracy", "f1_macro", "error_rate", "model_size_mb", "peak_memory_mb"),
        *("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s"),
    }
)
"""The metrics that the form shows, besides resources and those that a policy or checklist in force names."""


class MetricValuesForm(forms.Form):
    """One line for each metric that is usual, named by a policy or checklist in force, or claimed already."""

    def __init__(self, *args: Any, claims: Mapping[str, MetricValue] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.claims, catalog = dict(claims or {}), catalog_in_force()
        stated = {definition.name for definition in catalog.stated}
        resources = {definition.name for definition in catalog.stated if definition.group is MetricGroup.RESOURCES}
        usual = {*ALWAYS_SHOWN, *resources, *named_metrics()}
        names = catalog.in_order({*self.claims, *usual} & {*stated, *self.claims})
        self.definitions = {name: catalog[name] for name in names}
        for kind in self.definitions.values():
            claim = self.claims.get(kind.name)
            self.fields[kind.name] = decimal_field(
                required=False,
                label=kind.meaning,
                initial=claim and format(claim.value, "f"),
                min_value=kind.minimum,
                max_value=kind.maximum,
                error_messages={
                    "min_value": f"The value of {kind.title} cannot be below {kind.minimum}.",
                    "max_value": f"The value of {kind.title} cannot be above {kind.maximum}.",
                },
            )
            bases = [choice for choice in STATED if Basis(choice[0]) in kind.bases]
            self.fields[f"{kind.name}_basis"] = forms.ChoiceField(
                choices=bases or STATED,
                label="Basis",
                initial=claim.basis.value if claim else (bases or STATED)[0][0],
                required=False,
            )
            self.fields[f"{kind.name}_source"] = forms.CharField(
                required=False,
                max_length=300,
                label="Source",
                initial=claim.source if claim else "",
                widget=forms.TextInput(attrs={"placeholder": "bill, quote, log, estimate of …"}),
            )
            self.fields[f"{kind.name}_confirmed"] = confirmation()

    def clean(self) -> None:
        """Reject an emptied line: a stated metric value stays on record and can only be corrected."""
        for name in self.claims:
            if self.cleaned_data.get(name) is None and name not in self.errors:
                self.add_error(name, "A stated metric value stays on record; correct it instead of clearing it.")

    @property
    def groups(self) -> list[tuple[str, str, bool, list[dict[str, Any]]]]:
        """The metrics in groups for the page: title, note, whether the group is open, and its lines."""
        lines = {group: [kind.name for kind in self.definitions.values() if kind.group is group] for group in GROUPS}
        shown = next((group for group, names in lines.items() if self._has_errors(names)), MetricGroup.COST)
        return [
            (group.capitalize(), self._note(group, names), group is shown, [*map(self._line, names)])
            for group, names in lines.items()
            if names
        ]

    def _note(self, group: MetricGroup, names: Iterable[str]) -> str:
        given = sum(bool(self[name].value()) for name in names)
        return f"{GROUPS[group]}; {given} given" if given else GROUPS[group]

    def _has_errors(self, names: Iterable[str]) -> bool:
        return any(self[f"{name}{part}"].errors for name in names for part in ("", "_basis", "_source"))

    def _line(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "unit": unit_words(unit) if (unit := self.definitions[name].unit) != "ratio" else "of 1",
            "value": self[name],
            "basis": self[f"{name}_basis"],
            "source": self[f"{name}_source"],
            "confirmed": shown_confirmation(self, value=name, confirmed=f"{name}_confirmed"),
        }

    def statements(self) -> Iterator[StatedValue]:
        """The metric values that are new or differ from the claim on record."""
        for name, kind in self.definitions.items():
            value: Decimal | None = self.cleaned_data[name]
            basis = Basis(self.cleaned_data[f"{name}_basis"] or self[f"{name}_basis"].initial)
            source: str = self.cleaned_data[f"{name}_source"]
            claim = self.claims.get(name)
            if value is not None and (
                claim is None or (claim.value, claim.basis, claim.source) != (value, basis, source)
            ):
                yield StatedValue(
                    name=name,
                    value=value,
                    unit=kind.unit,
                    basis=basis,
                    source=source,
                    is_confirmed=self.cleaned_data[f"{name}_confirmed"],
                )
