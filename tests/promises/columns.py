"""Every column that holds text, found in the models; and those that never hold people's words, each with the reason."""

from collections.abc import Iterator, Mapping

from django.apps import apps
from django.contrib.auth.models import User
from django.db import models

APPS = ("governance", "benchmarking", "reviews")

DIGEST = "a digest, computed"
WORD = "one of our own words"
NAMED = "letters, digits, hyphens and underscores; the database and every form refuse others"
NUMBERED = "numbered by us"
MACHINE = "written by the application from its own words"
OURS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "governance.AuditEvent.previous_hash",
            "governance.AuditEvent.hash",
            "governance.ApiToken.digest",
            "governance.PolicyVersion.digest",
            "governance.ChecklistVersion.digest",
            "governance.ModelVersion.digest",
            "governance.Checkpoint.head",
            "governance.Checkpoint.key_id",
            "governance.Checkpoint.signature",
            "governance.AnsweredPost.fingerprint",
            "governance.AllocationVersion.digest",
            "governance.Bill.digest",
            "benchmarking.Dataset.digest",
            "benchmarking.Run.result_digest",
            "benchmarking.LoadTest.result_digest",
            "reviews.ChecklistAnswer.file_digest",
            "reviews.Revision.digest",
            "reviews.Decision.bundle_digest",
            "reviews.Authorisation.subject_digest",
            "reviews.Authorisation.statement_digest",
            "reviews.ReviewCycle.minutes_digest",
            "reviews.Packet.document_digest",
            "reviews.Packet.pdf_digest",
            "reviews.WebhookDelivery.body_digest",
            "benchmarking.CostProjection.digest",
            "reviews.CyclePacket.document_digest",
            "reviews.CyclePacket.pdf_digest",
            "reviews.RenderedSection.digest",
        ),
        DIGEST,
    ),
    **dict.fromkeys(
        (
            "governance.AuditEvent.kind",
            "governance.AuditEvent.source",
            "governance.AuditEvent.subject_type",
            "governance.OutboxMessage.kind",
            "governance.Pulse.name",
            "governance.ModelVersion.format",
            "governance.AnsweredPost.content_type",
            "benchmarking.Run.scenario",
            "benchmarking.Run.plan",
            "reviews.Determination.occasion",
            "reviews.Determination.outcome",
            "reviews.Fact.unit",
        ),
        WORD,
    ),
    **dict.fromkeys(
        (
            "auth.User.username",
            "governance.Team.slug",
            "governance.PolicyVersion.name",
            "governance.ChecklistVersion.name",
            "governance.ModelAsset.slug",
            "governance.AllocationVersion.name",
            "governance.SpendLine.category",
            "governance.SpendLine.currency",
            "governance.ExchangeRate.currency",
            "reviews.ChecklistAnswer.item",
            "reviews.Waiver.rule_id",
            "reviews.Vote.stage",
            "governance.BudgetAccount.quarter",
            "governance.CostCentre.slug",
            "governance.Finding.kind",
            "governance.LedgerEntry.period",
            "reviews.ReviewCycle.quarter",
            "reviews.KpiActual.quarter",
            "reviews.Kpi.slug",
        ),
        NAMED,
    ),
    **dict.fromkeys(
        (
            "governance.AuditEvent.actor_id",
            "governance.AuditEvent.request_id",
            "governance.OutboxMessage.asked_in",
            "governance.LedgerEntry.request_ref",
            "governance.AllocationRule.request_ref",
            "governance.BudgetChange.request_ref",
            "benchmarking.Run.asked_for",
            "reviews.ReviewRequest.ref",
            "reviews.Authorisation.number",
            "reviews.ActionItem.ref",
            "reviews.AgendaItem.page",
        ),
        NUMBERED,
    ),
    **dict.fromkeys(
        (
            "governance.Finding.key",
            "governance.Finding.source",
            "governance.OutboxMessage.key",
            "governance.OutboxMessage.lane",
            "governance.ApiToken.prefix",
            "governance.ModelVersion.stored_as",
            "governance.Bill.stored_as",
            "governance.BillSlice.totals",
            "benchmarking.Dataset.stored_as",
            "benchmarking.Run.key",
            "benchmarking.LoadPart.samples_stored_as",
            "benchmarking.LoadPart.samples_stored_as",
            "reviews.Packet.stored_as",
            "reviews.Ticket.label",
            "reviews.Determination.told",
            "benchmarking.CostProjection.token",
            "reviews.Authorisation.envelope",
            "reviews.CyclePacket.stored_as",
        ),
        MACHINE,
    ),
    "auth.User.password": "a hash",
}


def columns() -> Iterator[tuple[str, type[models.Model], str]]:
    """("app.Model.field", model, field) of every column that holds text and is not a choice from our own list."""
    texts = (models.CharField, models.TextField, models.JSONField)
    for model in apps.get_models():
        if model is User or model._meta.app_label in APPS:
            for field in model._meta.concrete_fields:
                if isinstance(field, texts) and not field.choices:
                    yield f"{model._meta.label}.{field.name}", model, field.name
