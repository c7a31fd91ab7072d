"""One request whose every number, name, time, key and row id is the same in every run and on every machine."""

from pathlib import Path

import pytest
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from benchmarking.projections import actions as projection_actions
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import projections, waivers
from tests.factories.costs import cost_spec
from tests.factories.packets import checkpoint_pem
from tests.integration.conftest import installation
from tests.integration.reviews.packets.packet_journey import Journey, result
from weighbridge.core import attestation

__all__ = ["installation"]


@pytest.fixture(scope="session")
def signing_key_pem() -> str:
    return checkpoint_pem()


class Story(Journey):
    """A journey with a projection, a waiver, a second revision and an approval with a condition."""

    def drafted(self) -> ReviewRequest:
        self.allocate()
        request = self.filed()
        self.claim(request)
        projection = projection_actions.project_and_store(
            spec=cost_spec(load={"requests_per_year": 650_000_000}), by=self.rita, now=self._tick()
        )
        projections.state(request=request, projection=projection, option="own", by=self.rita, now=self._tick())
        return request

    def in_evidence(self) -> ReviewRequest:
        request = self.submitted(self.drafted())
        self.measured(request, result(verdict="invalid", reasons=("The machine was busy.",)))
        self.measured(request, result())
        self.answered(request)
        waivers.grant(
            request=request,
            rule_id="business-gain-prod",
            reason="It saves energy, not money.",
            valid_days=90,
            by=self.lea,
            now=self._tick(),
        )
        return request

    def in_second_review(self) -> ReviewRequest:
        request = self.voted(self.in_review(), self.anne, VoteChoice.REQUEST_CHANGES, words="Explain the latency.")
        return self.voted(self.asked(self.revised(request)), self.anne)

    def decided(self) -> ReviewRequest:
        request = self.voted(self.in_second_review(), self.bert, words="Fast enough.")
        return self.voted(request, self.lea, words="Within the quarter.", is_conditional=True)


@pytest.fixture
def story(db: None, tmp_path: Path, settings: Settings, signing_key_pem: str, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Pages and API read the clock of the story."""
    restart_ids()
    monkeypatch.setattr(attestation, "new_key_pem", lambda: signing_key_pem)
    told = Story(tmp_path, settings)
    monkeypatch.setattr(timezone, "now", lambda: told.now)
    return told


def restart_ids() -> None:
    """Rows count from the first free number again, whatever earlier tests have used up."""
    statements = connection.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True))
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
