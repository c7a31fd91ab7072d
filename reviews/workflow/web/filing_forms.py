"""The forms for filing a request: its subject, and the metric values it claims."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.text import slugify

from benchmarking.runs.queries.datasets import usable_by
from governance.inventory.enums import TASKS, Tier
from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.domain.roles import Person
from governance.people.queries.people import teams_of
from reviews.previews.queries.drafts import MARK_CHARS_MAX
from reviews.requests.enums import ENVIRONMENTS
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions.evidence import IMPLAUSIBLE
from reviews.workflow.web.subject_forms import KINDS, NEEDED, SubjectFields
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.model_files.formats import SUFFIXES

if TYPE_CHECKING:
    AnyModelChoiceField = forms.ModelChoiceField[Any]
    AnyModelMultipleField = forms.ModelMultipleChoiceField[Any]
else:
    AnyModelChoiceField = forms.ModelChoiceField
    AnyModelMultipleField = forms.ModelMultipleChoiceField

ARTIFACTS = [
    ("registered", "A registered version"),
    ("upload", "Upload a file"),
    ("reference", "Refer to a file stored elsewhere"),
    *KINDS,
]
DATA = [("none", "No evaluation data"), ("registered", "Registered data"), ("upload", "Upload a file")]
STATED = [(Basis.DECLARED.value, "declared"), (Basis.ESTIMATED.value, "estimated")]
RATIO_HELP = "Enter a fraction: 0.02 means 2 percent."


def decimal_field(**options: Any) -> forms.DecimalField:
    """The exact value of a metric."""
    return forms.DecimalField(
        max_digits=24, decimal_places=9, widget=forms.NumberInput(attrs={"step": "any"}), **options
    )


def confirmation() -> forms.BooleanField:
    """The answer to the question whether a value is a slip."""
    return forms.BooleanField(required=False, label="The value is right")


def shown_confirmation(form: forms.Form, *, value: str, confirmed: str) -> forms.BoundField | None:
    """The field for that answer once the question is asked, and as long as it is answered; otherwise None."""
    field = form[confirmed]
    return field if form.has_error(value, code=IMPLAUSIBLE) or field.value() else None


class VersionField(AnyModelChoiceField):
    """A registered model version, labeled with model, version, format and the start of its digest."""

    def label_from_instance(self, obj: Any) -> str:
        """As the list writes it."""
        return f"{obj} · {obj.format} · {obj.digest[7:19]}"


class VersionsField(AnyModelMultipleField):
    """Several registered model versions."""

    def label_from_instance(self, obj: Any) -> str:
        """As the list writes it."""
        return f"{obj} · {obj.digest[7:19]}"


class PersonField(AnyModelChoiceField):
    """A person, labeled with full name and user name."""

    def label_from_instance(self, obj: Any) -> str:
        """Full name and user name."""
        name = obj.get_full_name()
        return f"{name} ({obj.username})" if name else str(obj.username)


class FilingForm(SubjectFields):
    """The subject of a request: purpose, artifact and evaluation data."""

    seen = forms.CharField(max_length=MARK_CHARS_MAX, required=False, widget=forms.HiddenInput)
    title = forms.CharField(max_length=160, help_text="The name reviewers see.")
    purpose = forms.CharField(
        max_length=200, help_text="The use of the model. A version can have one open request for each purpose."
    )
    environment = forms.ChoiceField(choices=ENVIRONMENTS, initial="prod", help_text="Where the model will run.")
    business_case = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The business metric the model must improve, by how much, and what happens if it does not.",
    )

    artifact = forms.ChoiceField(
        label="What is filed", choices=ARTIFACTS, initial="registered", widget=forms.RadioSelect
    )
    model_version = VersionField(None, required=False, label="Version", empty_label="Choose a version")
    asset = AnyModelChoiceField(None, required=False, label="Model", empty_label="A new model")
    team = forms.ChoiceField(required=False)
    name = forms.CharField(max_length=160, required=False, label="Name of the model")
    slug = forms.SlugField(
        max_length=80,
        required=False,
        label="Short name",
        help_text="Used in addresses. If empty, it is made from the name.",
    )
    task = forms.ChoiceField(
        required=False,
        choices=TASKS,
        label="What the model does",
        help_text="The policy and its checklist are chosen by it.",
    )
    tier = forms.ChoiceField(required=False, choices=Tier.choices, help_text="Exposure times purpose.")
    owner = PersonField(None, required=False, help_text="The person responsible for the model, who cannot vote on it.")
    version = forms.CharField(max_length=60, required=False, label="New version", help_text="For example 1.4.0.")
    file = forms.FileField(required=False, label="File", help_text=f"{', '.join(SUFFIXES)}. Pickle files are rejected.")
    uri = forms.CharField(max_length=500, required=False, label="URI")
    sha256 = forms.CharField(
        max_length=71, required=False, label="SHA-256", help_text="sha256: followed by 64 hexadecimal digits."
    )

    rivals = VersionsField(
        None,
        required=False,
        label="Other candidates",
        help_text="Up to five stored ONNX models of the team; "
        "the benchmark measures them and their cheaper variants too.",
        widget=forms.SelectMultiple(attrs={"size": 4}),
    )

    evaluation = forms.ChoiceField(label="Evaluation data", choices=DATA, initial="none", widget=forms.RadioSelect)
    dataset = AnyModelChoiceField(None, required=False, label="Evaluation set", empty_label="Choose an evaluation set")
    dataset_name = forms.CharField(max_length=120, required=False, label="Name of the data set")
    dataset_license = forms.CharField(
        max_length=120, required=False, label="License of the data", help_text="For example MIT, or internal."
    )
    dataset_file = forms.FileField(
        required=False, label="Data file", help_text="An .npz file with arrays x (inputs) and y (labels)."
    )

    def __init__(self, *args: Any, person: Person, draft: ReviewRequest | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = [draft.team] if draft else teams_of(person)
        fields: dict[str, Any] = self.fields
        fields["team"].choices = [(team.slug, team.name) for team in teams]
        versions = ModelVersion.objects.filter(asset__team__in=teams).select_related("asset")
        fields["model_version"].queryset = versions.order_by("asset__name", "-registered_at")
        stored = versions.filter(format="onnx").exclude(stored_as="")
        fields["rivals"].queryset = stored.order_by("asset__name", "-registered_at")
        fields["asset"].queryset = ModelAsset.objects.filter(team__in=teams).order_by("name")
        fields["dataset"].queryset = usable_by(person)
        colleagues = Q(role_grants__team__in=teams) | Q(pk=person.id)
        fields["owner"].queryset = User.objects.filter(colleagues, is_active=True).distinct().order_by("username")
        fields["owner"].initial = person.id
        if not versions and not self.is_bound and "artifact" not in self.initial:
            self.initial["artifact"] = "upload"

    def clean(self) -> None:
        """Require the fields that the chosen kinds of artifact and evaluation data need."""
        data = self.cleaned_data
        for field, reason in self._needed(data).items():
            if not data.get(field) and field not in self.errors:
                self.add_error(field, reason)
        data["slug"] = data.get("slug") or slugify(data.get("name", ""))[:80]
        if data.get("artifact") in NEEDED and not self.errors:
            data["subject"] = self.subject_of(data["artifact"], visible=self._visible)

    def _visible(self, digest: str) -> ModelVersion | None:
        versions: Any = self.fields["model_version"]
        found: ModelVersion | None = versions.queryset.filter(digest=digest).first()
        return found

    def _needed(self, data: Mapping[str, Any]) -> dict[str, str]:
        """The fields that must not be empty, each with what to tell the person."""
        artifact, evaluation = data.get("artifact"), data.get("evaluation")
        file_needed = f"Choose a file of at most {settings.UPLOAD_LIMIT_BYTES // 1_000_000:,} MB."
        needed = {}
        if artifact == "registered":
            needed["model_version"] = "Choose a version, or upload one."
        else:
            needed["version"] = "Give the version a name, for example 1.4.0."
            if not data.get("asset"):
                needed["name"] = "Give the model a name."
                needed["owner"] = "Choose the person responsible for the model."
        if artifact == "upload":
            needed["file"] = file_needed
        if artifact == "reference":
            needed |= {"uri": "Enter the address of the file.", "sha256": "Enter the digest of the file."}
        needed |= NEEDED.get(str(artifact), {})
        if evaluation == "registered":
            needed["dataset"] = "Choose an evaluation set."
        if evaluation == "upload":
            needed |= {"dataset_name": "Give the data set a name.", "dataset_file": file_needed}
            needed["dataset_license"] = "Enter the license of the data, for example MIT or internal."
        return needed
