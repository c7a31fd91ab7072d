"""Prepare an installation: the signing key, and what of the rulebook is not published yet. Idempotent."""

from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain.defaults import names_of, text_of
from governance.rulebook.domain.metric_catalogs import catalog_document
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import CatalogVersion, ChecklistVersion, PolicyVersion
from weighbridge.core import attestation
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.secret_files import stored_secret


class Command(BaseCommand):
    """`manage.py prepare`."""

    help = "Create the signing key, and publish the metric catalog, policies and checklists, if they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create missing parts and print them."""
        path = Path(settings.WEIGHBRIDGE["SIGNING_KEY"])
        is_new = not path.exists()
        stored_secret(path, attestation.new_key_pem)
        if is_new:
            self.stdout.write(f"Created the signing key {path}.")
        with audit.origin("command"):
            self._publish()

    def _publish(self) -> None:
        now = timezone.now()
        if not CatalogVersion.objects.filter(state=DocumentState.PUBLISHED).exists():
            source = yaml.safe_dump(catalog_document(STANDARD), sort_keys=False, allow_unicode=True, width=120)
            catalog = rulebook.draft_catalog(source=source, by=None, now=now)
            self.stdout.write(f"Published the metric catalog {rulebook.publish(version=catalog, by=None, now=now)}.")
        if not ChecklistVersion.objects.filter(state=DocumentState.PUBLISHED).exists():
            for name in names_of("checklists"):
                checklist = rulebook.draft_checklist(source=text_of(name), by=None, now=now)
                self.stdout.write(f"Published the checklist {rulebook.publish(version=checklist, by=None, now=now)}.")
        if not PolicyVersion.objects.filter(state=DocumentState.PUBLISHED).exists():
            for name in names_of("policies"):
                policy = rulebook.draft_policy(source=text_of(name), by=None, now=now)
                self.stdout.write(f"Published the policy {rulebook.publish(version=policy, by=None, now=now)}.")
