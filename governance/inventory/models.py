"""The model inventory: assets and their immutable versions."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from governance.inventory.domain.locations import SCHEMES
from governance.inventory.enums import KINDS, TASKS, Tier
from governance.people.models import Team
from governance.rulebook.domain.scopes import SubjectKind


class ModelAsset(models.Model):
    """A model, independent of its versions."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="models")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=160)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_models")
    tier = models.CharField(max_length=2, choices=Tier.choices)
    task = models.CharField(max_length=30, choices=TASKS)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "slug"], name="one_asset_per_team_and_slug")]
        indexes = [models.Index(fields=["name"], name="assets_by_name")]

    def __str__(self) -> str:
        return self.name


class ModelVersion(models.Model):
    """One subject of reviews, identified by its digest; a file is either stored here or referenced by URI.

    `document` describes the subject in the form of its kind. `ends_on` is the day on which its vendor retires it; all
    versions of what the vendor retires have one day. `contained` are the digests of the files and models that it
    consists of, `lineage` is what it was made from, and `parents` are the digests in the lineage.
    """

    asset = models.ForeignKey(ModelAsset, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=KINDS, default=SubjectKind.FILE.value)
    digest = models.CharField(max_length=71)
    format = models.CharField(max_length=16, blank=True)
    document = models.JSONField(default=dict)
    ends_on = models.DateField(null=True)
    contained = ArrayField(models.CharField(max_length=71), default=list)
    lineage = models.JSONField(default=list)
    parents = ArrayField(models.CharField(max_length=71), default=list)
    size_bytes = models.BigIntegerField(null=True)
    stored_as = models.CharField(max_length=200, blank=True)
    uri = models.CharField(max_length=500, blank=True)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "version"], name="one_artifact_per_version"),
            models.CheckConstraint(name="digest_is_sha256", condition=Q(digest__regex=r"^sha256:[0-9a-f]{64}$")),
            models.CheckConstraint(
                name="stored_or_named", condition=~Q(stored_as="") | ~Q(uri="") | ~Q(kind=SubjectKind.FILE.value)
            ),
            models.CheckConstraint(
                name="uri_is_remote", condition=Q(uri="") | Q(uri__regex=f"^({'|'.join(SCHEMES)})://.")
            ),
        ]
        indexes = [
            models.Index(fields=["digest"]),
            models.Index(fields=["ends_on"], name="versions_that_are_retired", condition=Q(ends_on__isnull=False)),
            GinIndex(fields=["contained"], name="versions_by_part"),
            GinIndex(fields=["parents"], name="versions_by_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.asset.name} {self.version}"

    @property
    def retired_digest(self) -> str:
        """The digest of what a vendor retires: what a provider offers, whatever the parameters, or the own digest."""
        return self.contained[0] if self.kind == SubjectKind.MANAGED.value and self.contained else self.digest
