"""The forms of the cost calculator. One field accepts a number or a range: `0.1 to 0.14`."""

import re
from typing import Any

from django import forms

from benchmarking.projections.domain.quick_costs import MANAGED, NONE, SELF_HOSTED, QuickOption, quick_spec

NUMBER = r"([0-9]+(?:[.,_' ]?[0-9]+)*(?:e[0-9]+)?)"
RANGE = re.compile(rf"\s*{NUMBER}\s*(?:(?:-|\N{{EN DASH}}|to|\.\.)\s*{NUMBER}\s*)?", re.IGNORECASE | re.ASCII)
ACCEPTED = "Enter one number, or a 90 % range like 0.1 to 0.14."
KINDS = [(SELF_HOSTED, "Own replicas"), (MANAGED, "Managed API, priced per token")]
OPTION_NAMES = ("a", "b")
# The form field for an error of the spec, by a part of the path in the spec.
FIELD_OF_PATH = (
    ("usd_per_replica_h", "sku"),
    ("prices", "sku"),
    ("usd_per_gpu_h", "training_sku"),
    ("gpu_hours", "training_gpu_hours"),
    ("service_s", "service_ms"),
    ("limit_s", "limit_ms"),
    ("limit_ms", "limit_ms"),
    ("slots", "slots"),
    ("min_replicas", "min_replicas"),
    ("input_tokens", "input_tokens"),
    ("output_tokens", "output_tokens"),
    ("development_usd", "development_usd"),
    ("maintenance_fte", "maintenance_fte"),
)


class RangeField(forms.CharField):
    """A range of two numbers, the smaller first; a single number is both ends."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=60, **options)

    def clean(self, value: Any) -> Any:
        """Return (low, high), or None for an empty field."""
        text = super().clean(value)
        if not text:
            return None
        match = RANGE.fullmatch(text)
        if match is None:
            raise forms.ValidationError(ACCEPTED)
        low, high = (float(re.sub(r"[,_' ]", "", end)) for end in (match[1], match[2] or match[1]))
        if low > high:
            raise forms.ValidationError("Enter the smaller number first.")
        return low, high


class QuickForm(forms.Form):
    """The inputs that both options share."""

    name = forms.CharField(label="Name of the projection", max_length=120)
    requests_per_year = RangeField(help_text="For example 1.5e9 to 2.5e9")
    years = forms.IntegerField(label="Years of ownership", min_value=1, max_value=30)
    fte_usd = forms.FloatField(label="Cost of one person-year, USD", min_value=0)


class OptionForm(forms.Form):
    """One option."""

    title = forms.CharField(max_length=80)
    kind = forms.ChoiceField(label="Serving", choices=KINDS)
    sku = forms.CharField(label="SKU", max_length=120, help_text="aws/us-east-1/g5.xlarge, or openai/gpt-4o-mini")
    service_ms = RangeField(
        label="Service time per request, ms", required=False, help_text="From a benchmark, or an estimate"
    )
    limit_ms = forms.FloatField(label="p95 latency limit, ms", required=False, min_value=0.001)
    slots = forms.IntegerField(label="Concurrent requests per replica", required=False, min_value=1, max_value=10_000)
    min_replicas = forms.IntegerField(label="Minimum replicas", required=False, min_value=0, max_value=100_000)
    input_tokens = RangeField(label="Input tokens per request", required=False)
    output_tokens = RangeField(label="Output tokens per request", required=False)
    training_gpu_hours = RangeField(label="Training GPU hours", required=False)
    training_sku = forms.CharField(label="Training SKU", required=False, max_length=120)
    development_usd = RangeField(label="Development, USD", required=False)
    maintenance_fte = RangeField(label="Maintenance, FTE", required=False)

    def clean(self) -> dict[str, Any]:
        """Require the fields that each kind of serving needs."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        required = ("service_ms", "limit_ms") if data.get("kind") == SELF_HOSTED else ("input_tokens", "output_tokens")
        for name in required:
            if not data.get(name) and name not in self.errors:
                self.add_error(name, "This kind of serving requires a value.")
        if data.get("training_gpu_hours") and not data.get("training_sku"):
            self.add_error("training_sku", "Enter the SKU of the training machines, like aws/us-east-1/p4d.24xlarge.")
        return data

    def make_optional(self) -> None:
        """Add the choice that there is no such option."""
        kinds: Any = self.fields["kind"]
        kinds.choices = [*KINDS, (NONE, "No second option")]

    def option(self, option_id: str) -> QuickOption:
        """Return the option of a valid form."""
        given = {name: value for name, value in self.cleaned_data.items() if value is not None}
        return QuickOption(id=option_id, **given)


class SpecForm(forms.Form):
    """A spec as YAML, typed or uploaded."""

    source = forms.CharField(
        label="YAML",
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false", "class": "code-input", "autocomplete": "off"}),
        help_text="Error messages name the field, like options[1].serving.limit_s. "
        "Every number can be a range: [low, high].",
    )
    file = forms.FileField(label="Or upload a file", required=False)


EXAMPLE = {"name": "Support assistant", "requests_per_year": "15e6 to 25e6", "years": 3, "fte_usd": 200000}
EXAMPLE_OPTIONS: dict[str, dict[str, Any]] = {
    "a": {
        "title": "Managed API",
        "kind": MANAGED,
        "sku": "openai/gpt-4o-mini",
        "input_tokens": "800 to 1200",
        "output_tokens": "150 to 250",
        "development_usd": "20000 to 40000",
        "maintenance_fte": "0.1 to 0.3",
    },
    "b": {
        "title": "Own replicas",
        "kind": SELF_HOSTED,
        "sku": "aws/us-east-1/g5.xlarge",
        "service_ms": "100 to 140",
        "limit_ms": 500,
        "slots": 4,
        "min_replicas": 2,
        "training_gpu_hours": "40 to 120",
        "training_sku": "aws/us-east-1/p4d.24xlarge",
        "development_usd": "60000 to 120000",
        "maintenance_fte": "0.3 to 0.8",
    },
}


class QuickCalculator:
    """All forms of the quick calculator, filled from a query or from the example."""

    def __init__(self, query: Any = None) -> None:
        self.shared = QuickForm(query, initial=EXAMPLE)
        self.options = {
            name: OptionForm(query, prefix=name, initial=EXAMPLE_OPTIONS[name], auto_id=f"{name}-%s")
            for name in OPTION_NAMES
        }
        self.options["b"].make_optional()
        self.has_second = query is None or query.get("b-kind") != NONE
        self.is_example = query is None

    @property
    def active_options(self) -> tuple[tuple[str, OptionForm], ...]:
        """The names and forms of the options in use."""
        return tuple((name, form) for name, form in self.options.items() if name == "a" or self.has_second)

    def is_valid(self) -> bool:
        """Whether all forms are valid. All are validated, so that every error is shown."""
        return all([self.shared.is_valid(), *(form.is_valid() for _, form in self.active_options)])

    def spec(self) -> dict[str, Any]:
        """Return the spec of valid forms."""
        options = tuple(form.option(name) for name, form in self.active_options)
        return quick_spec(**self.shared.cleaned_data, options=options)

    def add_error(self, field: str | None, reason: str) -> str:
        """Add an error of the spec to its form field, or to the whole form. Returns it without its path."""
        path, reason = field or "", reason.removeprefix(f"{field}: ")
        for index, (_, form) in enumerate(self.active_options):
            if path.startswith(f"options[{index}]"):
                form.add_error(next((name for part, name in FIELD_OF_PATH if part in path), None), reason)
                return reason
        self.shared.add_error("requests_per_year" if "requests_per_year" in path else None, reason)
        return reason
