"""The forms of the cost calculator. A range is written in one field: `0.1 to 0.14`, or one number."""

import re
from typing import Any

from django import forms

from benchmarking.projections.domain.quick_costs import MANAGED, NONE, SELF_HOSTED, QuickOption, quick_spec

NUMBER = r"([0-9]+(?:[.,_' ]?[0-9]+)*(?:e[0-9]+)?)"
RANGE = re.compile(rf"\s*{NUMBER}\s*(?:(?:-|\N{{EN DASH}}|to|\.\.)\s*{NUMBER}\s*)?", re.IGNORECASE | re.ASCII)
ACCEPTED = "Write one number, or two like 0.1 to 0.14 that hold it nine times in ten."
KINDS = [(SELF_HOSTED, "Own replicas"), (MANAGED, "Managed API, by token")]
NAMES = ("a", "b")
# Where a refusal of the spec belongs in the form, by the end of its path.
PLACES = (
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
    """Two numbers, the smaller first; one number is both ends."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=60, **options)

    def clean(self, value: Any) -> Any:
        """The two ends, or None where nothing was written."""
        text = super().clean(value)
        if not text:
            return None
        found = RANGE.fullmatch(text)
        if found is None:
            raise forms.ValidationError(ACCEPTED)
        low, high = (float(re.sub(r"[,_' ]", "", end)) for end in (found[1], found[2] or found[1]))
        if low > high or (low == 0 and high > 0):
            raise forms.ValidationError("The smaller number comes first, and a range begins above zero.")
        return low, high


class QuickForm(forms.Form):
    """What both options share."""

    name = forms.CharField(label="What is projected", max_length=120)
    requests_per_year = RangeField(help_text="One year, all hours: 1.5e9 to 2.5e9")
    years = forms.IntegerField(label="Years of ownership", min_value=1, max_value=30)
    fte_usd = forms.FloatField(label="A person's year, USD", min_value=0)


class OptionForm(forms.Form):
    """One option."""

    title = forms.CharField(max_length=80)
    kind = forms.ChoiceField(label="Served by", choices=KINDS)
    sku = forms.CharField(label="Priced as", max_length=120, help_text="aws/us-east-1/g5.xlarge, or openai/gpt-4o-mini")
    service_ms = RangeField(
        label="Busy time of a request, ms", required=False, help_text="Measured by a benchmark, else your guess"
    )
    limit_ms = forms.FloatField(label="95 of 100 answered within, ms", required=False, min_value=0.001)
    slots = forms.IntegerField(label="Requests a replica serves at once", required=False, min_value=1, max_value=10_000)
    min_replicas = forms.IntegerField(label="Replicas at least", required=False, min_value=0, max_value=100_000)
    input_tokens = RangeField(label="Tokens in, a request", required=False)
    output_tokens = RangeField(label="Tokens out, a request", required=False)
    training_gpu_hours = RangeField(label="GPU hours of training", required=False)
    training_sku = forms.CharField(label="Trained on", required=False, max_length=120)
    development_usd = RangeField(label="Development, USD", required=False)
    maintenance_fte = RangeField(label="People to keep it up (FTE)", required=False)

    def clean(self) -> dict[str, Any]:
        """What each kind of serving cannot do without."""
        asked: dict[str, Any] = super().clean() or self.cleaned_data
        needed = ("service_ms", "limit_ms") if asked.get("kind") == SELF_HOSTED else ("input_tokens", "output_tokens")
        for name in needed:
            if not asked.get(name) and name not in self.errors:
                self.add_error(name, "This kind of serving needs it.")
        if asked.get("training_gpu_hours") and not asked.get("training_sku"):
            self.add_error("training_sku", "Say what the hours are priced as, like aws/us-east-1/p4d.24xlarge.")
        return asked

    def may_be_left_out(self) -> None:
        """Let the form say that there is no such option."""
        kinds: Any = self.fields["kind"]
        kinds.choices = [*KINDS, (NONE, "No second option")]

    def option(self, option_id: str) -> QuickOption:
        """The option of a valid form."""
        given = self.cleaned_data
        return QuickOption(
            id=option_id,
            title=given["title"],
            kind=given["kind"],
            sku=given["sku"].strip(),
            service_ms=given["service_ms"],
            limit_ms=given["limit_ms"],
            slots=given["slots"] or 1,
            min_replicas=2 if given["min_replicas"] is None else given["min_replicas"],
            input_tokens=given["input_tokens"],
            output_tokens=given["output_tokens"],
            training_sku=given["training_sku"].strip(),
            training_gpu_hours=given["training_gpu_hours"],
            development_usd=given["development_usd"],
            maintenance_fte=given["maintenance_fte"],
        )


class SpecForm(forms.Form):
    """A spec as YAML, written or uploaded."""

    source = forms.CharField(
        label="YAML",
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false", "class": "code-input", "autocomplete": "off"}),
        help_text="A fault is named by its place, like options[1].serving.limit_s. "
        "Every number may be a range: [low, high].",
    )
    file = forms.FileField(label="Or a file", required=False)


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


class Quick:
    """The forms of the quick calculator together, filled from an address or from the example."""

    def __init__(self, asked: Any = None) -> None:
        self.shared = QuickForm(asked, initial=EXAMPLE)
        self.options = {
            name: OptionForm(asked, prefix=name, initial=EXAMPLE_OPTIONS[name], auto_id=f"{name}-%s") for name in NAMES
        }
        self.options["b"].may_be_left_out()
        self.has_second = asked is None or asked.get("b-kind") != NONE
        self.is_example = asked is None

    @property
    def shown(self) -> tuple[tuple[str, OptionForm], ...]:
        """The options asked for."""
        return tuple((name, form) for name, form in self.options.items() if name == "a" or self.has_second)

    def is_valid(self) -> bool:
        """Whether every form shown is; each is asked, so that every fault shows."""
        return all([self.shared.is_valid(), *(form.is_valid() for _, form in self.shown)])

    def spec(self) -> dict[str, Any]:
        """The spec of valid forms."""
        given = self.shared.cleaned_data
        options = tuple(form.option(name) for name, form in self.shown)
        return quick_spec(
            name=given["name"],
            requests_per_year=given["requests_per_year"],
            years=given["years"],
            fte_usd=given["fte_usd"],
            options=options,
        )

    def refuse(self, field: str | None, reason: str) -> None:
        """Put a refusal of the spec beside the field it came from, or above the form."""
        form, path = self._form_at(field or "")
        reason = reason.removeprefix(f"{field}: ")
        place = next((name for end, name in PLACES if end in path), None)
        if form is None:
            self.shared.add_error("requests_per_year" if "requests_per_year" in path else None, reason)
        else:
            form.add_error(place, reason)

    def _form_at(self, path: str) -> tuple[OptionForm | None, str]:
        for position, (_, form) in enumerate(self.shown):
            if path.startswith(f"options[{position}]"):
                return form, path
        return None, path
