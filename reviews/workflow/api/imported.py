"""Result files: importing one, what was taken from each, and the studies among them."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.site.api.shapes import Input, answer_of, read_for
from reviews.evidence.domain.studies import StudyChart
from reviews.evidence.queries.imported import ImportedView, imported_view, imported_views
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import check_edit
from reviews.workflow.actions import imports
from reviews.workflow.api.inputs import found

answer_of(StudyChart, without=["svg"])
ImportedAnswer = answer_of(ImportedView, "ImportedFileAnswer")


class ImportInput(Input):
    """A result file."""

    file = serializers.FileField(max_length=160, help_text="A file that weighbridge import reads.")
    part = serializers.CharField(required=False, max_length=200, help_text="One of several results in the file.")


class ImportedFiles(APIView):
    """The result files that were imported into a request."""

    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="requests_imports_list", responses=ImportedAnswer(many=True))
    def get(self, request: Request, ref: str) -> Response:
        """Every imported file, the latest first."""
        row, _, _, _ = found(request, ref)
        return Response(ImportedAnswer(imported_views(row), many=True).data)

    @extend_schema(
        operation_id="requests_imports_create",
        request={"multipart/form-data": ImportInput},
        responses={201: ImportedAnswer},
    )
    def post(self, request: Request, ref: str) -> Response:
        """Import a file: its values are declared with the file as their source, and a study is attached as it is."""
        row, user, person, now = found(request, ref)
        given = read_for(request, ImportInput, lambda: check_edit(person, parties_of(row)))
        imported = imports.import_result(
            request=row, upload=given["file"], part=given.get("part", ""), by=user, now=now
        )
        imported.refresh_from_db()
        return Response(ImportedAnswer(imported_view(imported)).data, status=201)
