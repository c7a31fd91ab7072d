"""Reads of the inventory: only one's own teams' models, found by word, digest, team and tier."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from governance.audit.queries import keys
from governance.inventory import queries as inventory
from governance.inventory.models import ModelVersion
from governance.inventory.queries import ModelSelection
from governance.people.queries.people import person_of
from tests.factories.models import make_version
from tests.factories.people import OTHER_TEAM, Cast
from weighbridge.core import attestation
from weighbridge.core.errors import NotFound, WrongState

HOUR = timedelta(hours=1)


@pytest.fixture
def versions(cast: Cast, now: datetime) -> list[ModelVersion]:
    return [
        make_version(by=cast.author, now=now, slug="ranker"),
        make_version(by=cast.author, now=now + HOUR, slug="ranker", version="1.1.0", seed=1),
        make_version(by=cast.author, now=now, slug="speller", tier="T3", seed=2),
        make_version(by=cast.outsider, now=now, team=OTHER_TEAM, slug="bidder", seed=3),
    ]


def found(cast: Cast, **filters: str) -> list[str]:
    return [asset.slug for asset in inventory.listed(person=person_of(cast.admin), filters=ModelSelection(**filters))]


def test_who_sees_which_models(cast: Cast, versions: list[ModelVersion]) -> None:
    for person in cast.everybody():
        own: dict[object, set[str]] = {
            cast.author: {"ranker", "speller"},
            cast.outsider: {"bidder"},
        }
        expected = own.get(person, {"ranker", "speller", "bidder"})
        assert {asset.slug for asset in inventory.visible_to(person_of(person))} == expected
    assert inventory.find(team="search", slug="ranker", person=person_of(cast.author)) == versions[0].asset
    for team, slug in (("ads", "bidder"), ("search", "bidder"), ("search", "nothing")):
        with pytest.raises(NotFound, match=f"There is no model {team}/{slug} that you can see"):
            inventory.find(team=team, slug=slug, person=person_of(cast.author))


def test_the_list_narrowed(cast: Cast, versions: list[ModelVersion]) -> None:
    assert found(cast) == ["bidder", "ranker", "speller"]
    assert found(cast, search=" RANK ") == ["ranker"]
    assert found(cast, search=versions[0].digest) == ["ranker"]
    assert found(cast, team="search") == ["ranker", "speller"]
    assert found(cast, team="search", tier="T3") == ["speller"]
    assert found(cast, search="nothing") == []


def test_each_model_tells_its_latest_version(cast: Cast, versions: list[ModelVersion], now: datetime) -> None:
    row = inventory.listed(person=person_of(cast.author), filters=ModelSelection(search="ranker")).get()
    assert (row.version_count, row.latest_version, row.latest_digest) == (2, "1.1.0", versions[1].digest)
    assert row.latest_at == now + HOUR
    assert inventory.versions_of(versions[0].asset) == [versions[1], versions[0]]


def test_the_signing_key_of_the_installation(signing_key_pem: str) -> None:
    assert keys.signing_key() == signing_key_pem
    assert keys.public_key() == attestation.public_pem(signing_key_pem)


def test_an_installation_without_a_key_says_how_to_make_one(settings: Settings, tmp_path: Path) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"SIGNING_KEY": tmp_path / "nowhere.pem"}
    with pytest.raises(WrongState, match=r"There is no signing key at .*nowhere\.pem; run `python manage\.py prepare`"):
        keys.signing_key()


def test_an_owner_outside_the_team_sees_the_model_and_no_other(cast: Cast, now: datetime) -> None:
    own = make_version(by=cast.author, owner=cast.outsider, now=now, slug="handed-over", seed=8)
    make_version(by=cast.author, now=now, slug="not-theirs", seed=9)
    assert [asset.slug for asset in inventory.visible_to(person_of(cast.outsider))] == [own.asset.slug]
