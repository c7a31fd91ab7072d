"""Addresses of the pages of operations."""

from django.urls import URLPattern, path

from governance.operations.web import changes, findings, health, integrations, keys, people, settings, trail

urlpatterns: list[URLPattern] = [
    path("changes/", changes.listed, name="changes"),
    path("changes/<int:change_id>/", changes.detail, name="change"),
    path("changes/<int:change_id>/confirm/", changes.confirm, name="change_confirm"),
    path("changes/<int:change_id>/refuse/", changes.refuse, name="change_refuse"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("workz", health.workz, name="workz"),
    path("findings.<slug:kind>", findings.exported, name="findings_export"),
    path("findings/", findings.listed, name="findings"),
    path("findings/<int:finding_id>/", findings.detail, name="finding"),
    path("findings/<int:finding_id>/assign/", findings.assign, name="finding_assign"),
    path("findings/<int:finding_id>/close/", findings.close, name="finding_close"),
    path("settings/", settings.settings_page, name="settings"),
    path("settings/health/", health.page, name="health"),
    path("settings/health/mail/", health.test_mail, name="health_mail"),
    path("settings/keys/", keys.page, name="keys"),
    path("settings/people/", people.listed, name="people"),
    path("integrations/", integrations.listed, name="integrations"),
    path("integrations/check/", integrations.check, name="integrations_check"),
    path("integrations/resume/", integrations.resume, name="integrations_resume"),
    path("integrations/<int:message_id>/retry/", integrations.retry, name="integrations_retry"),
    path("audit.<slug:kind>", trail.exported, name="audit_export"),
    path("audit/", trail.listed, name="audit"),
    path("audit/chain/", trail.chain, name="audit_chain"),
]
