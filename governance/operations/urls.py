"""Addresses of the pages of operations."""

from django.urls import URLPattern, path

from governance.operations.web import changes, findings, health, integrations, trail

urlpatterns: list[URLPattern] = [
    path("changes/", changes.listed, name="changes"),
    path("changes/<int:change_id>/", changes.detail, name="change"),
    path("changes/<int:change_id>/confirm/", changes.confirm, name="change_confirm"),
    path("changes/<int:change_id>/refuse/", changes.refuse, name="change_refuse"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("workz", health.workz, name="workz"),
    path("findings/", findings.listed, name="findings"),
    path("findings/<int:finding_id>/assign/", findings.assign, name="finding_assign"),
    path("findings/<int:finding_id>/close/", findings.close, name="finding_close"),
    path("integrations/", integrations.listed, name="integrations"),
    path("integrations/connection/", integrations.connection, name="integrations_connection"),
    path("integrations/check/", integrations.check, name="integrations_check"),
    path("integrations/resume/", integrations.resume, name="integrations_resume"),
    path("integrations/<int:message_id>/retry/", integrations.retry, name="integrations_retry"),
    path("audit.<slug:kind>", trail.exported, name="audit_export"),
    path("audit/", trail.listed, name="audit"),
    path("audit/chain/", trail.chain, name="audit_chain"),
]
