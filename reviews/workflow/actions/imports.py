"""Imports of result files: the file is kept, its values are declared by whoever imports it, and a study is attached."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from governance.inventory.actions import artifacts
from governance.inventory.actions.artifacts import SpooledUpload
from governance.people.queries.people import person_of
from reviews.evidence.domain.imported import TakenValues, check_imported, taken_values
from reviews.evidence.domain.studies import STUDIES_MAX, FiledStudy, filed_study, study_document
from reviews.evidence.models import ImportedFile
from reviews.requests.audit import record
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.allowed_steps import check_can_state_evidence
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import evidence
from reviews.workflow.actions.evidence import StatedValue
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.core.metrics.basis import Basis
from weighbridge.readers.attested import chosen_part
from weighbridge.readers.imported_result import ImportedMetric, ImportedResult
from weighbridge.readers.registry import read_results
from weighbridge.readers.studies.registry import read_study
from weighbridge.readers.studies.study import Study

if TYPE_CHECKING:
    from django.core.files import File

NAME_CHARS_MAX, TOOL_CHARS_MAX, SOURCE_CHARS_MAX, SEVERAL = 160, 200, 300, 5


def import_result(
    *, request: ReviewRequest, upload: "File[bytes]", part: str = "", by: User, now: datetime
) -> ImportedFile:
    """Keep a result file, state the values that the metric catalog has as declared, and attach a study as it is.

    `part` names one of several results in the file. Raises Invalid for a file that no reader takes, or that contradicts
    itself, for a result that is invalid by its own verdict, and for one about another subject.
    """
    with SpooledUpload.read(upload) as spooled:
        study = read_study(spooled.path)
        result = chosen_part([study.result] if study else read_results(spooled.path), part or None)
        with transaction.atomic():
            row = lock(request)
            snapshot = snapshot_of(row, now=now)
            check_can_state_evidence(snapshot, person=person_of(by))
            check_imported(result, subject=row.model_version.digest)
            data = row.dataset.digest if row.dataset else ""
            taken = taken_values(result, catalog=snapshot.evidence.catalog, data=data)
            if not taken.metrics and study is None:
                raise Invalid(_nothing_taken(taken), code="nothing_taken", field="file")
            imported = _keep(row, spooled, result, taken, _attached(row, study), by, now)
            for metric in taken.metrics:
                evidence.state_metric_value(request=row, statement=_statement(metric, imported), by=by, now=now)
    return imported


def _attached(request: ReviewRequest, study: Study | None) -> FiledStudy | None:
    """The study as it is kept, with its chart."""
    if study is None:
        return None
    if ImportedFile.objects.filter(request=request).exclude(kind="").count() >= STUDIES_MAX:
        text = f"A request may have {STUDIES_MAX} studies. File what else there is as a file of a checklist item."
        raise Invalid(text, code="too_many_studies", field="file")
    return filed_study(study)


def _keep(
    request: ReviewRequest,
    upload: SpooledUpload,
    result: ImportedResult,
    taken: TakenValues,
    study: FiledStudy | None,
    by: User,
    now: datetime,
) -> ImportedFile:
    stored = artifacts.store(upload=upload, by=by, now=now)
    imported = ImportedFile(
        request=request,
        file_name=upload.name[:NAME_CHARS_MAX],
        file_digest=stored.digest,
        part=result.part,
        tool=f"{result.tool} {result.tool_version or ''}".strip()[:TOOL_CHARS_MAX],
        verdict=result.verdict.status.value,
        reasons=[doubt.message for doubt in result.verdict.doubts],
        taken=[metric.name for metric in taken.metrics],
        left_out=dict(taken.left_out),
        kind=study.kind.value if study else "",
        study=study_document(study),
        imported_by=by,
        imported_at=now,
    )
    try:
        with transaction.atomic():
            imported.save()
    except IntegrityError as error:
        raise WrongState("This result is on record already.", code="already_imported", field="file") from error
    details = {"file": stored.digest, "tool": imported.tool, "verdict": imported.verdict}
    details |= {"study": imported.kind} if study else {}
    record(
        kind="evidence.imported",
        request=request,
        by=by,
        now=now,
        details=details | {"metric_values": imported.taken},
    )
    return imported


def _statement(metric: ImportedMetric, imported: ImportedFile) -> StatedValue:
    """The value as declared. A tool wrote the number, so nobody is asked whether it is a slip of the pen."""
    values = {name: value for name, value in vars(metric).items() if name != "observed"}
    source = f"{imported.tool}, {imported.file_name}, {imported.file_digest[:19]}"[:SOURCE_CHARS_MAX]
    return StatedValue(**values, basis=Basis.DECLARED, source=source, is_confirmed=True)


def _nothing_taken(taken: TakenValues) -> str:
    reasons = " ".join(f"{name}: {reason}" for name, reason in list(taken.left_out.items())[:SEVERAL])
    return f"The file has no value that can be declared. {reasons}"
