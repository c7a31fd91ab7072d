"""The results that were imported into a request as files: values of other tools, and studies."""

from dataclasses import dataclass
from datetime import datetime

from governance.people.queries.people import name_of
from reviews.evidence.domain.imported import OTHER_DATA
from reviews.evidence.domain.studies import FiledStudy
from reviews.evidence.models import ImportedFile
from reviews.requests.models import ReviewRequest
from weighbridge.core.converter import from_document
from weighbridge.readers.study_kinds import StudyKind


@dataclass(frozen=True)
class LeftOutMetric:
    """A metric of the file that was not taken, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ImportedView:
    """An imported file on the page; `reasons` say why its result is only indicative, `study` what a study says."""

    id: int
    tool: str
    file_name: str
    file_digest: str
    part: str
    verdict: str
    reasons: tuple[str, ...]
    taken: tuple[str, ...]
    left_out: tuple[LeftOutMetric, ...]
    kind: str
    study: FiledStudy | None
    imported_by: str
    imported_at: datetime


def imported_views(request: ReviewRequest) -> tuple[ImportedView, ...]:
    """Every imported file, the latest first."""
    rows = ImportedFile.objects.filter(request=request).select_related("imported_by").order_by("-pk")
    return tuple(imported_view(row) for row in rows)


def metrics_on_other_data(request: ReviewRequest) -> dict[str, list[str]]:
    """The metrics that were left out because they were measured on other data, by tool and file."""
    rows = ImportedFile.objects.filter(request=request).values_list("tool", "file_name", "left_out")
    found = {
        f"{tool}, {name}": [metric for metric, why in left.items() if why == OTHER_DATA] for tool, name, left in rows
    }
    return {file: metrics for file, metrics in found.items() if metrics}


def filed_study_of(row: ImportedFile) -> FiledStudy | None:
    """The study that was attached with a file; None for other files."""
    return None if row.study is None else from_document(FiledStudy, row.study, name="study")


def study_words(row: ImportedFile) -> str:
    """The study in a few words: its kind, its verdict, who attached it and when."""
    by = f"attached by {name_of(row.imported_by)} on {row.imported_at:%Y-%m-%d}"
    return f"{StudyKind(row.kind).words} ({row.verdict}), {by}"


def imported_view(row: ImportedFile) -> ImportedView:
    """An imported file."""
    return ImportedView(
        id=row.pk,
        tool=row.tool,
        file_name=row.file_name,
        file_digest=row.file_digest,
        part=row.part,
        verdict=row.verdict,
        reasons=tuple(row.reasons),
        taken=tuple(row.taken),
        left_out=tuple(LeftOutMetric(name, reason) for name, reason in row.left_out.items()),
        kind=row.kind,
        study=filed_study_of(row),
        imported_by=name_of(row.imported_by),
        imported_at=row.imported_at,
    )
