"""JSON shapes of inventory."""

from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from governance.inventory.enums import Tier
from governance.rulebook.domain.scopes import ModelTask
from governance.site.api.shapes import Answer, Input, ListInput, choice
from weighbridge.core.model_files.formats import SUFFIXES


class ModelVersionAnswer(Answer):
    """A registered model version."""

    id = serializers.IntegerField()
    team = serializers.CharField(source="asset.team.slug")
    slug = serializers.CharField(source="asset.slug")
    name = serializers.CharField(source="asset.name")
    version = serializers.CharField()
    tier = serializers.CharField(source="asset.tier")
    task = serializers.CharField(source="asset.task")
    owner = serializers.CharField(source="asset.owner.username")
    kind = serializers.CharField(help_text="file, manifest, container, managed, pipeline or deployment.")
    digest = serializers.CharField()
    format = serializers.CharField()
    document = serializers.JSONField(help_text="The subject in the form of its kind; empty for a file.")
    ends_on = serializers.DateField(allow_null=True, help_text="The day on which its vendor retires it.")
    lineage = serializers.JSONField(help_text="What it was made from.")
    size_bytes = serializers.IntegerField(allow_null=True)
    uri = serializers.CharField(help_text="Where it lies; empty when it is stored here.")
    registered_at = serializers.DateTimeField()


class ModelAnswer(Answer):
    """A model of the inventory, with its latest version."""

    team = serializers.CharField(source="team.slug")
    slug = serializers.CharField()
    name = serializers.CharField()
    tier = serializers.CharField()
    task = serializers.CharField()
    owner = serializers.CharField(source="owner.username")
    version_count = serializers.IntegerField()
    latest_version = serializers.CharField(allow_null=True)
    latest_digest = serializers.CharField(allow_null=True)
    latest_at = serializers.DateTimeField(allow_null=True)


class ModelInput(Input):
    """A model version: its file, where it lies with its SHA-256, or the document of its kind."""

    team = serializers.SlugField(max_length=60)
    slug = serializers.SlugField(max_length=80)
    name = serializers.CharField(max_length=160)
    version = serializers.CharField(max_length=60)
    tier = choice(Tier.values)
    task = choice(ModelTask, help_text="What the model does; policies are chosen by it.")
    owner = serializers.SlugRelatedField(
        slug_field="username",
        queryset=User.objects.filter(is_active=True),
        error_messages={"does_not_exist": "There is no active user “{value}”."},
        help_text="User name of whoever answers for the model.",
    )
    file = serializers.FileField(
        required=False, max_length=160, help_text=f"{', '.join(SUFFIXES)}; pickles are refused."
    )
    uri = serializers.CharField(required=False, max_length=500)
    sha256 = serializers.CharField(
        required=False, max_length=71, help_text="64 hexadecimal digits, or sha256: and these."
    )
    subject = serializers.JSONField(
        required=False,
        help_text="The document of a manifest, container, managed model, pipeline or deployment, as JSON.",
    )
    lineage = serializers.JSONField(
        required=False,
        help_text="What it was made from, as JSON: a list of relation, digest (or name and version), and license.",
    )

    def validate_sha256(self, digest: str) -> str:
        """The digest as it is written everywhere here."""
        return digest if digest.startswith("sha256:") else f"sha256:{digest}"

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of a file, a URI with a digest, and a document."""
        named = {"uri", "sha256"} & attrs.keys()
        if sum(("file" in attrs, bool(named), "subject" in attrs)) != 1 or len(named) == 1:
            wanted = "Send either a file, or uri and sha256 of one that lies elsewhere, or a subject of another kind."
            raise serializers.ValidationError({"file": wanted})
        return attrs


class ModelFilters(ListInput):
    """What the list of models can be narrowed to."""

    team = serializers.SlugField(required=False, help_text="Slug of a team.")
    tier = choice(Tier.values, required=False)
