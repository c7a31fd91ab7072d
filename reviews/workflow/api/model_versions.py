"""`versions/`: one model version, its lineage, and its retirement."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.inventory.domain.retirement import SOURCE_CHARS_MAX, Announcement
from governance.inventory.models import ModelVersion
from governance.inventory.queries import find_version
from governance.inventory.rules import check_announce
from governance.inventory.serializers import ModelVersionAnswer
from governance.people.api.caller import asker
from governance.people.approvals.models import Change
from governance.people.approvals.serializers import ChangeReasonInput
from governance.people.domain.roles import Person
from governance.site.api.shapes import Answer, answer_of, read_for
from reviews.workflow.actions import retirements
from reviews.workflow.queries.model_documents import bom_of, card_of
from reviews.workflow.queries.view_version import (
    LineageView,
    LinkedVersion,
    RelativeView,
    RetirementView,
    lineage_view,
    retirement_view,
)

LinkedAnswer = answer_of(LinkedVersion)
RelativeAnswer = answer_of(
    RelativeView, helps={"relation": "base_model, fine_tuned_from, distilled_from, quantized_from or trained_on."}
)
LineageAnswer = answer_of(LineageView)
RetirementAnswer = answer_of(RetirementView)


class VersionAnswer(Answer):
    """A model version with its lineage in both directions and its retirement."""

    version = ModelVersionAnswer()
    lineage = LineageAnswer()
    retirement = RetirementAnswer()


class AnnouncedAnswer(Answer):
    """A retirement, and the change that a second person must confirm before it counts."""

    retirement = RetirementAnswer()
    change = serializers.CharField(allow_null=True, help_text="Like CHG-7; none if the day counts already.")


class RetirementInput(ChangeReasonInput):
    """The day on which the vendor retires the model; no day if it retires it no longer."""

    retires_on = serializers.DateField(allow_null=True)
    source = serializers.CharField(max_length=SOURCE_CHARS_MAX, help_text="Where the vendor announced it.")  # type: ignore[assignment]  # a field of that name, not DRF's attribute


class VersionDetail(APIView):
    """One model version."""

    @extend_schema(operation_id="versions_retrieve", responses=VersionAnswer)
    def get(self, request: Request, version_id: int) -> Response:
        """The version, what it was made from, what was made from it, and its retirement."""
        _, person, _ = asker(request)
        version = find_version(version_id=version_id, person=person)
        return Response(_said(version, person))


class Bom(APIView):
    """The bill of materials of a model version."""

    @extend_schema(operation_id="versions_bom", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, version_id: int) -> Response:
        """The version as CycloneDX 1.6, with its lineage, its parts, and its metric values with their basis."""
        _, person, now = asker(request)
        return Response(bom_of(find_version(version_id=version_id, person=person), person=person, now=now))


class Card(APIView):
    """The model card of a model version."""

    @extend_schema(operation_id="versions_card", responses={(200, "text/markdown"): OpenApiTypes.STR})
    def get(self, request: Request, version_id: int) -> HttpResponse:
        """The version as Markdown: its lineage, metric values with their basis, and where it may run."""
        _, person, now = asker(request)
        text = card_of(find_version(version_id=version_id, person=person), person=person, now=now)
        return HttpResponse(text, content_type="text/markdown; charset=utf-8")


class Retirement(APIView):
    """The retirement of a model by its vendor."""

    @extend_schema(operation_id="versions_retirement", request=RetirementInput, responses=AnnouncedAnswer)
    def post(self, request: Request, version_id: int) -> Response:
        """Announce or move the day; a sooner day counts at once, a later one takes a second person."""
        user, person, now = asker(request)
        version = find_version(version_id=version_id, person=person)
        team = version.asset.team.slug
        given = read_for(request, RetirementInput, lambda: check_announce(person, team=team))
        announcement = Announcement(retires_on=given["retires_on"], source=given["source"])
        reason = given["reason"]
        change = retirements.announce(version=version, announcement=announcement, reason=reason, by=user, now=now)
        version.refresh_from_db()
        return Response(_announced(version, change))


def _said(version: ModelVersion, person: Person) -> dict[str, object]:
    lineage, retirement = lineage_view(version, person=person), retirement_view(version)
    return dict(VersionAnswer({"version": version, "lineage": lineage, "retirement": retirement}).data)


def _announced(version: ModelVersion, change: Change | None) -> dict[str, object]:
    shown = {"retirement": retirement_view(version), "change": str(change) if change else None}
    return dict(AnnouncedAnswer(shown).data)
