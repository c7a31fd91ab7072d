"""Cheaper alternatives to a language model, measured elsewhere and signed: they count; page and packet show them."""

import copy
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.attested import attested_variants, attested_views
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.queries.packet import packet_of
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import attestations
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, page_of, words
from tests.standstill import refused
from tests.unit.toolkit.optimization.language.builders import SMALL, compared, write_answers, write_prompts
from weighbridge.core.attested_results import AttestedMetric
from weighbridge.core.errors import Invalid

POLICY, RULE = "language-model-self-hosted", "cheaper-alternatives-prod"
NAME = "alternatives_measured"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("plan")
    write_prompts(folder, 200)
    for name in ("large", "small"):
        write_answers(folder, name, [place % 10 != 0 for place in range(200)])
    found: dict[str, Any] = compared(folder, SMALL, {"name": "batch", "kind": "batch_tier"})
    return found


@pytest.fixture
def request_of_model(cast: Cast, now: datetime) -> ReviewRequest:
    """A language model of our own, submitted under the shipped policy, whose rule on alternatives is kept."""
    kinds.publish_shipped(now=now)
    source = kinds.with_trust(defaults.text_of(f"policies/{POLICY}.yaml"))
    rulebook.publish(version=rulebook.draft_policy(source=source, by=None, now=now), by=None, now=now)
    version = kinds.register(task="generation", subject=kinds.MANIFEST, by=cast.author, now=now)
    return walks.make_submitted(by=cast.author, version=version, now=now)


def file(
    request: ReviewRequest,
    document: Mapping[str, Any] | None,
    cast: Cast,
    now: datetime,
    value: str = "1",
    **changes: Any,
) -> None:
    metric = AttestedMetric(name=NAME, value=Decimal(value), unit="variants", n=1)
    manifest = {} if document is None else {"alternatives": document}
    given = {"metrics": (metric,), "manifest": manifest} | changes
    result = kinds.result_for(request, kinds.Signed({}), now=now, **given)
    attestations.record_attested(request=request, envelope=kinds.envelope_of(result), by=cast.author, now=now)


def status(request: ReviewRequest, now: datetime) -> str:
    results = EvidenceSnapshot(request, now).policy_evaluation.results
    return next(each.status.value for each in results if each.rule_id == RULE)


def test_signed_alternatives_satisfy_the_rule_and_stand_on_page_and_packet(
    request_of_model: ReviewRequest, document: dict[str, Any], cast: Cast, now: datetime
) -> None:
    request = request_of_model
    assert (status(request, now), attested_variants(request)) == ("indeterminate", ())
    file(request, document, cast, now)
    assert status(request, now) == "passed"
    (view,) = attested_views(request)
    assert [(line.name, line.answer) for line in view.variants] == [
        ("large", "the model itself"),
        ("small", "equivalent and cheaper"),
        ("batch", "equivalent and cheaper"),
    ]
    shown = words(enter(cast.reviewer_one).get(page_of(request, "evidence")))
    assert "Accepted answer, USD" in shown
    assert "equivalent and cheaper" in shown
    packet = packet_of(snapshot_of(request, now=now))
    assert packet.variants == attested_variants(request) == view.variants


def changed(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def test_standings_of_another_form_do_not_break_the_page(
    request_of_model: ReviewRequest, document: dict[str, Any], cast: Cast, now: datetime
) -> None:
    file(request_of_model, document | {"standings": ["frontier"]}, cast, now)
    assert {line.status for line in attested_variants(request_of_model)} == {""}


FORGED: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a better verdict": (changed("candidates", 1, "verdict", "answer", value="no_gain"), "1"),
    "another count": (lambda _: None, "2"),
    "a broken count": (lambda _: None, "1.5"),
    "an unknown kind": (changed("candidates", 1, "kind", value="magic"), "1"),
    "a metric without a value": (changed("candidates", 1, "metrics", "pass_rate", value={}), "1"),
    "no document of ours": (changed("schema", value="mine"), "1"),
}


@pytest.mark.parametrize("name", FORGED)
def test_alternatives_that_contradict_themselves_are_refused(
    request_of_model: ReviewRequest, document: dict[str, Any], cast: Cast, now: datetime, name: str
) -> None:
    change, value = FORGED[name]
    forged = copy.deepcopy(document)
    change(forged)
    before = snapshot()
    with refused(Invalid, code="attested_metrics"):
        file(request_of_model, forged, cast, now, value)
    assert snapshot() == before


def test_a_count_alone_or_on_other_prompts_is_refused(
    request_of_model: ReviewRequest, document: dict[str, Any], cast: Cast, now: datetime
) -> None:
    with refused(Invalid, code="attested_metrics"):
        file(request_of_model, None, cast, now)
    with refused(Invalid, code="attested_data"):
        file(request_of_model, document, cast, now, data=kinds.digest("6"))
    assert not MetricRecord.objects.filter(name=NAME).exists()
