"""The fields that describe a subject which is no single file: a manifest, an image, a managed model, a pipeline,
a deployment.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeAlias

from django import forms

from governance.inventory.models import ModelVersion
from governance.inventory.queries import document_of_version
from weighbridge.core.documents import LARGEST_WHOLE
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DOCUMENT, check_size
from weighbridge.subjects.deployment.kind import MANAGED_HARDWARE, MOST_ACCELERATORS
from weighbridge.subjects.documents.lineage_files import read_lineage
from weighbridge.subjects.kinds import document_of, parse_subject
from weighbridge.subjects.lineage import lineage_document, lineage_of_lines, parse_lineage

MANIFEST_BYTES_MAX = 40_000_000
MANIFEST = replace(DOCUMENT, bytes_max=MANIFEST_BYTES_MAX)
KINDS = [
    ("manifest", "A repository or folder"),
    ("container", "A container image"),
    ("managed", "A managed model behind an API"),
    ("pipeline", "A pipeline of registered models"),
    ("deployment", "A language model as it is deployed"),
]
NEEDED = {
    "manifest": {"manifest": "Choose the manifest file: weighbridge manifest FOLDER --json manifest.json writes it."},
    "container": {"image": "Enter the image with its digest: registry/repository@sha256:…"},
    "managed": {"provider": "Enter the provider, like openai.", "provider_model": "Enter the name of the model."},
    "pipeline": {"parts": "Enter one part a line: its role, a colon, and the digest of a registered version."},
    "deployment": {"served": "Enter the digest of a registered version, which is the model that is served."},
}
"""The fields that each kind needs, with what to tell the person."""


OTHER_NAMES = {"model": "provider_model", "files": "manifest", "kind": "manifest", "name": "manifest"}
OTHER_NAMES_OF_DEPLOYMENTS = {"model": "served", "hardware": "accelerator", "prompt_cache": "cached_share"}
"""The fields of keys of the document that have another name in the form."""
VisibleVersion: TypeAlias = Callable[[str], ModelVersion | None]


class SubjectFields(forms.Form):
    """The fields of all kinds; those of the chosen kind count."""

    manifest = forms.FileField(
        required=False, label="Manifest", help_text="The JSON file that weighbridge manifest writes."
    )
    image = forms.CharField(
        max_length=500, required=False, label="Image", help_text="registry/repository@sha256:…; a tag alone may change."
    )
    platform = forms.CharField(max_length=60, required=False, help_text="For example linux/amd64.")
    provider = forms.CharField(max_length=64, required=False, help_text="For example openai or bedrock.")
    provider_model = forms.CharField(max_length=200, required=False, label="Model of the provider")
    snapshot = forms.CharField(
        max_length=200, required=False, help_text="The dated snapshot. Without one, the provider may change the model."
    )
    region = forms.CharField(max_length=200, required=False)
    parameters = forms.CharField(
        max_length=20_000,
        required=False,
        label="Parameters",
        widget=forms.Textarea(attrs={"rows": 3, "class": "code-input", "spellcheck": "false"}),
        help_text='As JSON, for example {"temperature": 0}.',
    )
    retires_on = forms.DateField(
        required=False,
        label="Retires on",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The day on which the vendor retires it, if that is announced.",
    )
    parts = forms.CharField(
        max_length=5_000,
        required=False,
        label="Parts in order",
        widget=forms.Textarea(attrs={"rows": 4, "class": "code-input", "spellcheck": "false"}),
        help_text="One a line, as they work: role: sha256:…",
    )
    served = forms.CharField(
        max_length=71, required=False, label="Model", help_text="The digest of a registered version: sha256:…"
    )
    server = forms.CharField(
        max_length=500,
        required=False,
        help_text="An image, registry/repository@sha256:…, or a name and a version, like vllm 0.11.0. A managed model "
        "has none.",
    )
    accelerator = forms.CharField(
        max_length=64, required=False, help_text="For example h100 or cpu. Empty if the provider decides."
    )
    count = forms.IntegerField(
        min_value=1, max_value=MOST_ACCELERATORS, required=False, label="Accelerators", help_text="1 if left out."
    )
    tensor_parallel = forms.IntegerField(
        min_value=1,
        max_value=MOST_ACCELERATORS,
        required=False,
        label="Tensor parallel",
        help_text="Accelerators that share each layer; 1 if left out.",
    )
    context_tokens = forms.IntegerField(
        min_value=1,
        max_value=LARGEST_WHOLE,
        required=False,
        label="Longest sequence",
        help_text="Tokens, prompt and answer together.",
    )
    cached_share = forms.DecimalField(
        min_value=0,
        max_value=1,
        max_digits=5,
        decimal_places=4,
        required=False,
        label="Share of prompts in the cache",
        help_text="From 0 to 1: the share of prompt tokens that is expected in the cache. 0 is no cache.",
    )
    settings = forms.CharField(
        max_length=20_000,
        required=False,
        label="Settings of the server",
        widget=forms.Textarea(attrs={"rows": 3, "class": "code-input", "spellcheck": "false"}),
        help_text='As JSON, for example {"max_num_seqs": 64, "quantization": "fp8"}.',
    )
    lineage = forms.CharField(
        max_length=20_000,
        required=False,
        label="Made from",
        widget=forms.Textarea(attrs={"rows": 3, "class": "code-input", "spellcheck": "false"}),
        help_text="One a line: base_model, fine_tuned_from, distilled_from, quantized_from or trained_on, a colon, a "
        "digest or name@version, and the license if it is known.",
    )

    lineage_file = forms.FileField(
        required=False,
        label="Or a file that says so",
        help_text="A bill of materials (CycloneDX JSON), or a model card (Markdown that begins with metadata).",
    )

    def clean_lineage(self) -> list[dict[str, str]]:
        """The document of the lineage."""
        try:
            return lineage_document(parse_lineage(lineage_of_lines(self.cleaned_data["lineage"])))
        except Invalid as refusal:
            raise forms.ValidationError(refusal.reason, code=refusal.code) from refusal

    def clean_lineage_file(self) -> None:
        """Take the lineage from the file; a form has it in one place."""
        upload = self.cleaned_data["lineage_file"]
        if upload is None:
            return
        if self.cleaned_data.get("lineage"):
            raise forms.ValidationError("Write the lineage, or choose a file; not both.")
        try:
            check_size(upload.size, name=upload.name, limits=DOCUMENT, field="lineage")
            self.cleaned_data["lineage"] = lineage_document(read_lineage(upload.read(), name=upload.name))
        except Invalid as refusal:
            raise forms.ValidationError(refusal.reason, code=refusal.code) from refusal

    def subject_of(self, kind: str, *, visible: VisibleVersion) -> dict[str, Any] | None:
        """The document of a subject of this kind; None, with the error at its field, if it is invalid.

        `visible` returns the registered version of a digest, if the person may see it.
        """
        try:
            return document_of(parse_subject(self._document(kind, visible)))
        except Invalid as refusal:
            key = (refusal.field or "").partition(".")[0].partition("[")[0]
            field = (OTHER_NAMES_OF_DEPLOYMENTS if kind == "deployment" else OTHER_NAMES).get(key, key)
            self.add_error(field if field in self.fields else None, refusal.reason)
            return None

    def _document(self, kind: str, visible: VisibleVersion) -> dict[str, Any]:
        data = self.cleaned_data
        if kind == "manifest":
            return _manifest(data)
        if kind == "container":
            return {"kind": kind, "image": data["image"]} | _given(data, "platform")
        if kind == "managed":
            return _managed(data)
        if kind == "deployment":
            return _deployment(data, visible)
        return {"kind": kind, "parts": [_part(line, visible) for line in data["parts"].splitlines() if line.strip()]}


def _given(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: data[name] for name in names if data[name]}


def _manifest(data: Mapping[str, Any]) -> dict[str, Any]:
    upload = data["manifest"]
    document = parse_json(upload.read(), name="The manifest", field="manifest", limits=MANIFEST)
    if not isinstance(document, dict):
        raise Invalid("The manifest is not a JSON object; weighbridge manifest writes one.", field="manifest")
    return document


def _managed(data: Mapping[str, Any]) -> dict[str, Any]:
    parameters = _json_in(data, "parameters")
    retires = {"retires_on": data["retires_on"].isoformat()} if data["retires_on"] else {}
    model = {"kind": "managed", "provider": data["provider"], "model": data["provider_model"]}
    return model | _given(data, "snapshot", "region") | {"parameters": parameters} | retires


def _json_in(data: Mapping[str, Any], name: str) -> Any:
    """The JSON of a field, {} if it is empty."""
    text = data[name].strip()
    return parse_json(text, name=f"The {name}", field=name, number=Decimal) if text else {}


def _deployment(data: Mapping[str, Any], visible: VisibleVersion) -> dict[str, Any]:
    version = visible(data["served"].strip())
    if version is None:
        raise Invalid("This is not the digest of a registered version that you can see.", field="served")
    hardware = _given(data, "accelerator", "count", "tensor_parallel")
    document = {
        "kind": "deployment",
        "model": document_of_version(version),
        "hardware": hardware or MANAGED_HARDWARE,
        "settings": _json_in(data, "settings"),
    } | _given(data, "context_tokens")
    if version.kind == "pipeline":
        document["model"] = {"digest": version.digest}
    if data["server"].strip():
        document["server"] = _server(data["server"].strip())
    if data["cached_share"] is not None:
        document["prompt_cache"] = {"is_enabled": data["cached_share"] > 0, "cached_share": data["cached_share"]}
    return document


def _server(text: str) -> dict[str, str]:
    """The image of the server, or its name and its version, which is the last word."""
    name, _, number = text.rpartition(" ")
    return {"image": text} if "@" in text or not name else {"name": name.strip(), "version": number}


def _part(line: str, visible: VisibleVersion) -> dict[str, Any]:
    role, colon, digest = (text.strip() for text in line.partition(":"))
    version = visible(digest) if colon else None
    if version is None:
        text = f"{line.strip()[:100]!r} is no part: write its role, a colon, and the digest of a registered version."
        raise Invalid(text, field="parts")
    return {"role": role, "subject": document_of_version(version)}
