"""Every column that holds text, found in the models; and those that never hold people's words, each with the reason."""

from collections.abc import Iterator, Mapping

from django.apps import apps
from django.contrib.auth.models import User
from django.db import models

from tests.tables import own_labels

DIGEST = "a digest, computed"
WORD = "one of our own words"
NAMED = "letters, digits, hyphens and underscores; the database and every form refuse others"
NUMBERED = "numbered by us"
MACHINE = "written by the application from its own words"
OURS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "audit.AuditEvent.previous_hash",
            "audit.AuditEvent.hash",
            "people.ApiToken.digest",
            "rulebook.PolicyVersion.digest",
            "rulebook.ChecklistVersion.digest",
            "inventory.ModelVersion.digest",
            "audit.Checkpoint.head",
            "audit.Checkpoint.key_id",
            "audit.Checkpoint.signature",
            "site.AnsweredPost.fingerprint",
            "bills.AllocationVersion.digest",
            "bills.Bill.digest",
            "bills.SpendLine.subject",
            "runs.Dataset.digest",
            "runs.Run.result_digest",
            "runs.Worker.key_id",
            "load_tests.LoadPart.samples_digest",
            "load_tests.LoadTest.result_digest",
            "evidence.ChecklistAnswer.file_digest",
            "evidence.AttestedStatement.digest",
            "evidence.AttestedStatement.key_digest",
            "evidence.ImportedFile.file_digest",
            "feed.FeedEntry.digest",
            "feed.FeedEntry.root",
            "rulebook.CatalogVersion.digest",
            "voting.Revision.digest",
            "authorizations.Decision.bundle_digest",
            "authorizations.Authorization.subject_digest",
            "authorizations.Authorization.statement_digest",
            "quarterly.ReviewCycle.minutes_digest",
            "packets.Packet.document_digest",
            "packets.Packet.pdf_digest",
            "tickets.WebhookDelivery.body_digest",
            "projections.CostProjection.digest",
            "quarterly.CyclePacket.document_digest",
            "quarterly.CyclePacket.pdf_digest",
            "quarterly.RenderedSection.digest",
            "workloads.ClusterReport.digest",
            "workloads.ObservedWorkload.image_digest",
            "workloads.UsageGateway.digest",
            "workloads.UsageRecord.digest",
            "notes.ViewedPart.digest",
        ),
        DIGEST,
    ),
    **dict.fromkeys(
        (
            "audit.AuditEvent.kind",
            "audit.AuditEvent.source",
            "audit.AuditEvent.subject_type",
            "jobs.OutboxMessage.kind",
            "jobs.Pulse.name",
            "inventory.ModelVersion.format",
            "site.AnsweredPost.content_type",
            "bills.SpendLine.direction",
            "bills.SpendLine.cache_action",
            "runs.Run.scenario",
            "runs.Run.plan",
            "evidence.PolicyEvaluation.occasion",
            "evidence.PolicyEvaluation.outcome",
            "evidence.AttestedStatement.verdict",
            "evidence.ImportedFile.verdict",
            "evidence.MetricRecord.unit",
            "authorizations.Decision.settles",
            "absences.Absence.confirmed_roles",
            "notifications.Dispatch.kind",
            "notifications.Notification.kind",
            "notifications.NotificationChoice.kind",
            "notifications.PersonalHours.time_zone",
            "notifications.TeamWebhook.pace",
            "notifications.TeamWebhook.time_zone",
            "notifications.TeamWebhook.kinds",
            "tickets.TicketSite.flavor",
        ),
        WORD,
    ),
    **dict.fromkeys(
        (
            "auth.User.username",
            "people.Team.slug",
            "rulebook.PolicyVersion.name",
            "rulebook.ChecklistVersion.name",
            "inventory.ModelAsset.slug",
            "bills.AllocationVersion.name",
            "bills.SpendLine.category",
            "bills.SpendLine.currency",
            "bills.ExchangeRate.currency",
            "evidence.ChecklistAnswer.item",
            "evidence.Waiver.rule_id",
            "evidence.Waiver.item_id",
            "evidence.MetricRecord.name",
            "rulebook.CatalogVersion.name",
            "voting.Vote.stage",
            "discussions.Thread.name",
            "budgets.BudgetAccount.quarter",
            "budgets.CostCenter.slug",
            "findings.Finding.kind",
            "budgets.LedgerEntry.period",
            "quarterly.ReviewCycle.quarter",
            "scorecard.KpiActual.quarter",
            "scorecard.Kpi.slug",
            "runs.Worker.name",
            "notifications.TeamWebhook.host",
        ),
        NAMED,
    ),
    **dict.fromkeys(
        (
            "audit.AuditEvent.actor_id",
            "audit.AuditEvent.request_id",
            "jobs.OutboxMessage.asked_in",
            "jobs.OutboxMessage.asked_by",
            "budgets.LedgerEntry.request_ref",
            "bills.AllocationRule.request_ref",
            "approvals.Change.part",
            "runs.Run.asked_for",
            "requests.ReviewRequest.ref",
            "authorizations.Authorization.number",
            "quarterly.ActionItem.ref",
            "quarterly.AgendaItem.page",
            "notes.DraftVote.lifted_ids",
        ),
        NUMBERED,
    ),
    **dict.fromkeys(
        (
            "findings.Finding.key",
            "findings.Finding.source",
            "notifications.Dispatch.key",
            "notifications.Notification.key",
            "notifications.Notification.path",
            "jobs.OutboxMessage.key",
            "jobs.OutboxMessage.lane",
            "people.ApiToken.prefix",
            "inventory.ModelVersion.stored_as",
            "bills.Bill.stored_as",
            "bills.BillSlice.totals",
            "runs.Dataset.stored_as",
            "runs.Dataset.class_balance",
            "runs.Dataset.steward_teams",
            "runs.Run.key",
            "runs.Run.signed_result",
            "runs.Worker.public_key",
            "packets.Packet.stored_as",
            "tickets.Ticket.label",
            "evidence.PolicyEvaluation.told",
            "projections.CostProjection.token",
            "authorizations.Authorization.envelope",
            "quarterly.CyclePacket.stored_as",
        ),
        MACHINE,
    ),
    "auth.User.password": "a hash",
    "saved_views.SavedView.filters": "percent-encoded by us",
}


def columns() -> Iterator[tuple[str, type[models.Model], str]]:
    """("app.Model.field", model, field) of every column that holds text and is not a choice from our own list."""
    texts = (models.CharField, models.TextField, models.JSONField)
    for model in apps.get_models():
        if model is User or model._meta.app_label in own_labels():
            for field in model._meta.concrete_fields:
                if isinstance(field, texts) and not field.choices:
                    yield f"{model._meta.label}.{field.name}", model, field.name
