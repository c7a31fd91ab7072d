"""Store what a gateway counted instead of its earlier lines of the same days, and compare it with the limits."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction

from governance.audit.actions import record as audit
from governance.budgets.domain.quarters import next_month
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.jobs import outbox
from governance.people.queries.people import person_of
from governance.rulebook.queries.rulebook import policies_in_force
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.authorizations.models import Authorization
from reviews.evidence.queries.evidence import subject_of
from reviews.feed.actions import publish
from reviews.requests.enums import ENVIRONMENT_NAMES
from reviews.requests.queries.rulebook import monitoring_for
from reviews.workloads.domain.limits import LimitShare
from reviews.workloads.models import UsageGateway, UsageRecord
from reviews.workloads.queries.usage import AuthorizedUsage, authorized_usage, month_of
from reviews.workloads.rules import check_replace_usage, check_report_usage
from weighbridge.client.usage.report import UsageReport
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.core.metrics.units import share_text
from weighbridge.core.money import format_usd

REPORT_LOCK = 0x55534147  # an arbitrary number that no other code locks
GATEWAYS_MAX = 20
COMPARE = "usage.compare"
KIND = "usage.limit"
OVER = "Its usage is above its limit of the month, and the policy denies it until the month ends."


def store_usage(*, report: UsageReport, by: User, now: datetime) -> UsageGateway:
    """Store the lines instead of those of the same days of the gateway, and have them compared with the limits.

    Raises Invalid for days in the future, WrongState above the number of gateways of an account. A report authorizes
    nothing.
    """
    check_report_usage(person_of(by))
    if report.environment not in ENVIRONMENT_NAMES:
        raise Invalid(f"The environment must be one of {', '.join(ENVIRONMENT_NAMES)}.", field="environment")
    if report.days[-1] > (now + timedelta(days=1)).date():
        raise Invalid(f"The day {report.days[-1]} is in the future.", field="lines", code="clock")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REPORT_LOCK])
        row = _gateway(report, by, now)
        row.received_at, row.digest = now, report.digest
        row.save()
        replaced, _ = row.records.filter(day__in=report.days).delete()
        UsageRecord.objects.bulk_create(
            UsageRecord(gateway=row, **{name: getattr(line, name) for name in FIELDS}) for line in report.lines
        )
        details = {
            "environment": row.environment,
            "lines": len(report.lines),
            "replaced": replaced,
            "days": [report.days[0].isoformat(), report.days[-1].isoformat()],
            "digest": row.digest,
        }
        audit.record(kind="usage.reported", by=by, subject=("gateway", row.name), details=details, now=now)
        key = f"{COMPARE}:{row.pk}:{now.isoformat()}"
        outbox.enqueue(kind=COMPARE, key=key, lane=key, payload={}, now=now)
    return row


FIELDS = ("day", "digest", "model", "requests", "input_tokens", "cached_tokens", "output_tokens", "usd")


def _gateway(report: UsageReport, by: User, now: datetime) -> UsageGateway:
    """The row of the gateway, checked; a new one that is not saved yet if there is none."""
    row = UsageGateway.objects.filter(name=report.gateway, environment=report.environment).first()
    if row is not None:
        check_replace_usage(person_of(by), reporter_id=row.reporter_id, gateway=row.name)
        return row
    if UsageGateway.objects.filter(reporter=by).count() >= GATEWAYS_MAX:
        text = f"{by.username} reports {GATEWAYS_MAX} gateways already, which is the limit for an account."
        raise WrongState(text, code="too_many")
    return UsageGateway(name=report.gateway, environment=report.environment, reporter=by, received_at=now)


def compare_usage(*, by: User | None = None, now: datetime) -> list[Finding]:
    """Raise findings at 80 and 100 percent of each limit of this and the last month; return the new ones. Idempotent.

    If the policy says so, an authorization whose usage of this month is above a limit is denied until the month ends.
    What was denied for an earlier month is allowed again.
    """
    raised = []
    this = month_of(now.date())
    for month in (month_of(this - timedelta(days=1)), this):
        for used in authorized_usage(month):
            raised += [
                finding
                for share in used.shares
                if share.step and (finding := _raise(used.authorization, share, month, by, now)) is not None
            ]
            if month == this:
                _settle(used, this, by, now)
    _allow_again(by, now)
    return raised


def _raise(row: Authorization, share: LimitShare, month: date, by: User | None, now: datetime) -> Finding | None:
    """Raise the finding of the largest step that is reached, unless it was raised before."""
    key = f"{KIND}:{row.number}:{month:%Y-%m}:{share.name}:{share.step}"
    if row.state not in IN_FORCE or Finding.objects.filter(key=key).exists():
        return None
    request = row.decision.request
    owner = request.model_version.asset.owner
    used, limit = (
        format_usd(amount) if share.name == "USD" else f"{amount:,} tokens" for amount in (share.used, share.limit)
    )
    percent = share_text(share.percent / 100).replace("%", " %")
    text = (
        f"{request.model_version} used {used} in {month:%B %Y}, {percent} of the {limit} that {row.number} "
        f"allows in a month. Use it less, or file a request with the limit that is needed."
    )
    sighting = Sighting(
        kind=KIND,
        subject=f"{request.ref} ({row.number})",
        text=text,
        severity=Severity.HIGH if share.step >= 100 else Severity.MEDIUM,
        source=f"usage of {month:%Y-%m}",
        key=key,
        owner=owner if owner.is_active else None,
    )
    return findings.raise_once(sighting=sighting, by=by, now=now)


def _settle(used: AuthorizedUsage, month: date, by: User | None, now: datetime) -> None:
    """Deny the authorization until the month ends, or allow it again if corrected usage is within the limits."""
    if _denied_until(used, month) != used.authorization.denied_until:
        _deny(used.authorization, lambda row: _denied_now(row, month), by, now)


def _denied_until(used: AuthorizedUsage, month: date) -> datetime | None:
    wants = monitoring_for(subject_of(used.authorization.decision.request), policies=policies_in_force())
    is_over = wants.deny_above_limit and any(share.is_exceeded for share in used.shares)
    return datetime.combine(next_month(month), time(), UTC) if is_over else None


def _denied_now(row: Authorization, month: date) -> datetime | None:
    """The same by the usage that is stored now: a report may have come while this or another comparison ran."""
    usage = {used.authorization.pk: used for used in authorized_usage(month)}
    return _denied_until(usage[row.pk], month) if row.pk in usage else row.denied_until


def _allow_again(by: User | None, now: datetime) -> None:
    for each in Authorization.objects.filter(denied_until__lte=now).order_by("pk"):
        _deny(each, lambda row: row.denied_until if row.denied_until and row.denied_until > now else None, by, now)


def _deny(
    authorization: Authorization,
    decide: Callable[[Authorization], datetime | None],
    by: User | None,
    now: datetime,
) -> None:
    """Deny the authorization until the time that is decided under its lock; None allows it again."""
    with transaction.atomic():
        row = Authorization.objects.select_for_update().get(pk=authorization.pk)
        until = decide(row)
        if row.denied_until == until or (until is not None and row.state not in IN_FORCE):
            return
        row.denied_until = until
        row.save(update_fields=["denied_until"])
        kind = "authorization.denied" if until is not None else "authorization.allowed_again"
        details = {"until": until.isoformat()} if until is not None else {}
        reason = OVER if until is not None else ""
        audit.record(kind=kind, by=by, subject=("authorization", row.number), details=details, reason=reason, now=now)
        publish(digest=row.subject_digest, environment=row.environment, by=by, now=now)
