"""Writes of attested evidence: a result that was measured elsewhere and signed by a key that the policy trusts."""

import secrets
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.domain.runnable import reason_not_measured
from benchmarking.runs.models import Run
from governance.people.queries.people import person_of
from governance.rulebook.domain.trust import Trust, TrustedKey
from reviews.evidence.domain.attested import check_result, is_drawn, value_of
from reviews.evidence.models import AttestedStatement, MetricRecord
from reviews.evidence.queries.attested import plan_of, trust_of
from reviews.evidence.queries.audits import is_audit_owed
from reviews.evidence.queries.evidence import doubt_about_data
from reviews.requests.audit import record
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.allowed_steps import check_can_state_evidence
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import screening
from weighbridge.core.attested_results import AttestedResult, read_result
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricGroup
from weighbridge.core.metrics.values import MetricValue
from weighbridge.optimization.language.checked import METRIC as ALTERNATIVES_METRIC

DRAWS = 1_000_000
SOURCE_CHARS_MAX = 300
COLUMNS = frozenset(field.name for field in fields(MetricValue)) - {"id", "basis", "source"}


def record_attested(
    *,
    request: ReviewRequest,
    envelope: Mapping[str, Any],
    draw: Decimal | None = None,
    by: User,
    now: datetime,
) -> AttestedStatement:
    """Store the values of a signed result as attested, and evaluate the policy again.

    The result is drawn to be measured again with the share that the policy states; `draw` is the random number from 0
    to below 1 that decides it, None for a new one. A model that owes an audit is always drawn.
    """
    with transaction.atomic():
        row = lock(request)
        snapshot = snapshot_of(row, now=now)
        check_can_state_evidence(snapshot, person=person_of(by))
        if row.policy is None:
            raise WrongState("The plan of a request is fixed when it is submitted; submit it, fetch its plan, measure.")
        trust, catalog = trust_of(row), snapshot.evidence.catalog
        result, key = _verified(envelope, trust)
        check_result(result, plan=plan_of(row), catalog=catalog, now=now)
        drawn = Decimal(secrets.randbelow(DRAWS)) / DRAWS if draw is None else draw
        is_audited = is_drawn(share=trust.audit_share, draw=drawn) or is_audit_owed(row.model_version.asset)
        statement = _store(row, envelope, result, key, is_audited, by, now)
        _store_values(row, statement, result, catalog, by)
        screening.evaluate_again(request=row, occasion="attested", now=now)
    return statement


def _verified(envelope: Mapping[str, Any], trust: Trust) -> tuple[AttestedResult, TrustedKey]:
    if not trust.keys:
        text = "The policy of this request trusts no key that may sign results for its team."
        raise Invalid(text, code="no_trusted_key", field="envelope")
    result, public_key = read_result(envelope, public_keys=[key.public_key for key in trust.keys])
    return result, next(key for key in trust.keys if key.public_key == public_key)


def _store(
    request: ReviewRequest,
    envelope: Mapping[str, Any],
    result: AttestedResult,
    key: TrustedKey,
    is_audited: bool,
    by: User,
    now: datetime,
) -> AttestedStatement:
    # The content and not the envelope: another signature of the same statement is the same result.
    digest = result.digest
    run = _queue_audit(request, digest, by, now) if is_audited else None
    try:
        with transaction.atomic():
            statement = AttestedStatement.objects.create(
                request=request,
                digest=digest,
                envelope=envelope,
                key_name=key.name,
                key_digest=key.id,
                signer=key.kind.value,
                tool=result.tool,
                verdict=result.verdict,
                started_at=result.started_at,
                finished_at=result.finished_at,
                is_audited=is_audited,
                audit_run=run,
                received_by=by,
                received_at=now,
            )
    except IntegrityError as error:
        raise WrongState("This signed result is on record already.", code="already_attested") from error
    names = [metric.name for metric in result.metrics]
    details = {"statement": digest, "key": key.name, "tool": result.tool, "metric_values": names, "audited": is_audited}
    record(kind="evidence.attested", request=request, by=by, now=now, details=details)
    return statement


def _queue_audit(request: ReviewRequest, digest: str, by: User, now: datetime) -> Run | None:
    """Measure the subject again, if our workers can run it."""
    version = request.model_version
    plans = plan_of(request).benchmarks
    is_stored = bool(version.stored_as)
    if not plans or reason_not_measured(kind=version.kind, format_name=version.format, is_stored=is_stored):
        return None
    key = f"{request.ref}/audit-{digest[7:19]}"
    return run_actions.queue(
        key=key,
        version=version,
        dataset=request.dataset,
        plan=dict(plans[0]),
        asked_for=request.ref,
        by=by,
        now=now,
    )


def _store_values(
    request: ReviewRequest, statement: AttestedStatement, result: AttestedResult, catalog: MetricCatalog, by: User
) -> None:
    doubt = doubt_about_data(request, data=request.dataset) if result.data else ""
    source = f"{statement.tool}, signed by {statement.key_name} ({statement.signer})"
    for metric in result.metrics:
        is_of_data = metric.name == ALTERNATIVES_METRIC or catalog[metric.name].group is MetricGroup.QUALITY
        is_doubtful = bool(doubt) and is_of_data
        columns = {name: value for name, value in vars(value_of(metric, result)).items() if name in COLUMNS}
        MetricRecord.objects.create(
            request=request,
            statement=None if is_doubtful else statement,
            basis=Basis.DECLARED if is_doubtful else Basis.ATTESTED,
            source=(f"{source}. Not attested: {doubt}" if is_doubtful else source)[:SOURCE_CHARS_MAX],
            stated_by=by,
            **columns,
        )
