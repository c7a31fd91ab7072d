"""Links to the form of a request with what is known of a workload, or of billed GPUs."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.urls import reverse

from governance.inventory import queries as inventory
from governance.inventory.models import ModelVersion
from governance.people.domain.roles import Person
from reviews.workloads.queries.billed import BilledGpus
from reviews.workloads.queries.workloads import WorkloadView
from weighbridge.subjects.container import pinned

TITLE_CHARS_MAX = 160


def registered_versions(rows: Sequence[WorkloadView], *, person: Person) -> Mapping[str, int]:
    """The latest registered version of each artifact that the person may file for."""
    digests = {digest for row in rows for digest in (row.image_digest, *row.model_digests)}
    own = inventory.visible_to(person).filter(team__slug__in=person.teams)
    versions = ModelVersion.objects.filter(asset__in=own, digest__in=digests).order_by("pk")
    return dict(versions.values_list("digest", "pk"))


def file_workload(row: WorkloadView, *, registered: Mapping[str, int]) -> str:
    """The address of a form with what is known: the registered version, or the image."""
    digests = [*row.model_digests, row.image_digest]
    version = next((registered[digest] for digest in digests if digest in registered), None)
    image = pinned(row.image, row.image_digest) if row.image_digest else ""
    title = f"{row.name} in {row.cluster}"[:TITLE_CHARS_MAX]
    fields: dict[str, object] = {"title": title, "environment": row.environment}
    fields |= {"team": row.team} if row.team else {}
    if version is not None:
        fields |= {"version": version}
    elif image:
        fields |= {"artifact": "container", "image": image, "name": row.name, "version": row.image_digest[7:19]}
    return f"{reverse('reviews:new')}?{urlencode(fields)}"


def file_gpus(row: BilledGpus) -> str:
    """The address of a form for billed GPUs."""
    fields = {"title": f"GPUs of {row.name}"[:TITLE_CHARS_MAX]} | ({"team": row.team} if row.team else {})
    return f"{reverse('reviews:new')}?{urlencode(fields)}"
