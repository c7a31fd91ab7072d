"""The page and the API of a model version: lineage in both directions, and the retirement."""

from datetime import timedelta

import pytest

from governance.inventory.actions import inventory, retirement
from governance.inventory.actions.inventory import NewAsset, NewVersion
from governance.inventory.domain.retirement import Announcement
from governance.inventory.models import ModelVersion
from governance.inventory.queries import descendants
from governance.people.approvals.models import Change
from tests.factories import kinds
from tests.factories.models import make_version
from tests.standstill import everything, refused
from weighbridge.core.errors import Invalid, NotAllowed
from weighbridge.subjects.documents.bom import lineage_of_bom
from weighbridge.subjects.documents.model_card import lineage_of_card
from weighbridge.subjects.lineage import parse_lineage

pytestmark = pytest.mark.django_db
WHY = "The vendor wrote it in its list of deprecations."
SOURCE = "https://vendor.test/deprecations"


def digest(number):
    return f"sha256:{number:064x}"


def version_of(cast, now, number, *parents, by=None, team="search", version=""):
    """A file elsewhere with that digest, made from the digests of these numbers."""
    by = by or cast.author
    asset = NewAsset(team=team, slug=f"m{number}", name=f"M{number}", tier="T2", task="ranking", owner=by)
    lineage = [{"relation": "fine_tuned_from", "digest": digest(parent), "license": "MIT"} for parent in parents]
    entry = NewVersion(
        asset=asset, version=version or "1", uri="s3://bucket/m.onnx", digest=digest(number), lineage=lineage
    )
    return inventory.register(entry=entry, by=by, now=now)


def test_the_lineage_is_shown_in_both_directions(cast, now, as_, api):
    base, theirs = version_of(cast, now, 1), version_of(cast, now, 9, by=cast.outsider, team="ads")
    child = version_of(cast, now, 2, 1, 9)
    grandchild = version_of(cast, now, 3, 2)
    answer = api(cast.author).get(f"/api/v1/versions/{child.pk}/").json()
    assert answer["version"]["lineage"] == child.lineage
    assert answer["retirement"] == {"retires_on": None, "ends_on": None}
    parents, children = answer["lineage"]["parents"], answer["lineage"]["children"]
    link = {"id": base.pk, "team": "search", "slug": "m1", "name": "M1 1"}
    common = {"relation": "fine_tuned_from", "name": "", "license": "MIT"}
    assert parents == [
        common | {"digest": digest(1), "versions": [link]},
        common | {"digest": digest(9), "versions": []},
    ]
    link = {"id": grandchild.pk, "team": "search", "slug": "m3", "name": "M3 1"}
    assert children == [common | {"digest": digest(3), "versions": [link]}]
    page = as_(cast.author).get(f"/versions/{child.pk}/").content.decode()
    assert f'href="/versions/{base.pk}/"' in page
    assert f'href="/versions/{grandchild.pk}/"' in page
    assert f'href="/versions/{theirs.pk}/"' not in page
    assert f'href="/versions/{theirs.pk}/"' in as_(cast.auditor).get(f"/versions/{child.pk}/").content.decode()


def test_strangers_see_no_version(cast, now, as_, api):
    version = version_of(cast, now, 1)
    assert as_(cast.outsider).get(f"/versions/{version.pk}/").status_code == 404
    assert api(cast.outsider).get(f"/api/v1/versions/{version.pk}/").status_code == 404
    given = {"retires_on": "2027-01-01", "source": SOURCE, "reason": WHY}
    assert api(cast.outsider).post(f"/api/v1/versions/{version.pk}/retirement/", given).status_code == 404
    assert api(cast.auditor).post(f"/api/v1/versions/{version.pk}/retirement/", {}).status_code == 403
    assert as_(cast.auditor).post(f"/versions/{version.pk}/retirement/", {}).status_code == 403


def test_a_cycle_is_refused_also_over_another_team(cast, now):
    version_of(cast, now, 1, 2)
    version_of(cast, now, 2, 3, by=cast.outsider, team="ads")
    with refused(Invalid, code="lineage_cycle", field="lineage"):
        version_of(cast, now, 3, 1)
    with refused(Invalid, code="lineage_cycle"):
        version_of(cast, now, 5, 5)
    assert version_of(cast, now, 3, 4).parents == [digest(4)]


def test_a_long_chain_is_refused(cast, now):
    for number in range(30):
        version_of(cast, now, number, number + 1)
    version_of(cast, now, 100, 1)
    with refused(Invalid, match="more than 30 generations", field="lineage"):
        version_of(cast, now, 101, 0)


def test_the_lineage_of_a_version_never_changes(cast, now):
    version_of(cast, now, 2, 1)
    assert version_of(cast, now, 2, 1).parents == [digest(1)]
    assert version_of(cast, now, 2).parents == [digest(1)]
    with refused(Invalid, code="lineage_fixed", field="lineage"):
        version_of(cast, now, 2, 7)


def test_the_api_takes_a_lineage_and_names_the_wrong_key(cast, now, api):
    fields = {"team": "search", "slug": "m", "name": "M", "version": "1", "tier": "T2", "task": "ranking"}
    fields |= {"owner": "author", "uri": "s3://bucket/m.onnx", "sha256": digest(2)}
    client = api(cast.author)
    before = {name: row for name, row in everything().items() if name != "people_apitoken"}
    wrong = client.post("/api/v1/models/", fields | {"lineage": '[{"relation": "copied_from"}]'})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "lineage[0].relation")
    assert before.items() <= everything().items()
    lineage = (
        '[{"relation": "base_model", "name": "meta-llama/Llama-3.1-8B", "version": "main", "license": "llama3.1"}]'
    )
    answer = api(cast.author).post("/api/v1/models/", fields | {"lineage": lineage})
    assert answer.status_code == 201
    assert answer.json()["lineage"] == [
        {"relation": "base_model", "name": "meta-llama/Llama-3.1-8B", "version": "main", "license": "llama3.1"}
    ]


def test_the_retirement_is_announced_and_moved_over_the_api(cast, now, api):
    version = version_of(cast, now, 1)
    address, day = f"/api/v1/versions/{version.pk}/retirement/", now.date() + timedelta(days=50)
    given = {"retires_on": day.isoformat(), "source": SOURCE, "reason": WHY}
    answer = api(cast.author).post(address, given, format="json")
    shown = {"retires_on": day.isoformat(), "ends_on": day.isoformat()}
    assert (answer.status_code, answer.json()) == (200, {"retirement": shown, "change": None})
    answer = api(cast.author).post(address, given | {"retires_on": None}, format="json")
    assert answer.json() == {"retirement": shown, "change": str(Change.objects.get())}
    answer = api(cast.author).post(address, given, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "retires_on")


def test_the_retirement_is_announced_on_the_page(cast, now, as_):
    version = make_version(by=cast.author, now=now)
    address, browser = f"/versions/{version.pk}/", as_(cast.author)
    day = now.date() + timedelta(days=50)
    before = everything()
    answer = browser.post(f"{address}retirement/", {"retires_on": day.isoformat(), "source": "", "reason": WHY})
    assert answer.status_code == 400
    answer = browser.post(f"{address}retirement/", {"retires_on": day.isoformat(), "source": SOURCE, "reason": "no"})
    assert answer.status_code == 400
    assert everything() == before
    given = {"retires_on": day.isoformat(), "source": SOURCE, "reason": WHY}
    assert browser.post(f"{address}retirement/", given).url == address
    page = browser.get(address).content.decode()
    assert f"<strong>{day}</strong>" in page
    assert f'value="{day}"' in page
    answer = browser.post(f"{address}retirement/", given | {"retires_on": ""})
    change = Change.objects.get()
    assert answer.url == f"/changes/{change.pk}/"
    assert "never lasts longer than was signed" in browser.get(answer.url).content.decode()
    assert "not confirmed yet" in browser.get(address).content.decode()
    assert "may file for a team" not in as_(cast.approver).get(address).content.decode()
    assert "Only a requester may" in as_(cast.finance).get(address).content.decode()


def test_a_pipeline_shows_the_day_of_its_part(cast, now, as_):
    day = now.date() + timedelta(days=50)
    kinds.register(
        task="generation", subject=kinds.MANAGED | {"retires_on": day.isoformat()}, slug="a", by=cast.author, now=now
    )
    whole = kinds.register(task="retrieval", subject=kinds.PIPELINE, slug="b", by=cast.author, now=now)
    assert ModelVersion.objects.get(pk=whole.pk).ends_on is None
    assert f"<strong>{day}</strong>" in as_(cast.author).get(f"/versions/{whole.pk}/").content.decode()


def test_a_person_without_a_team_announces_nothing(cast, now):
    version = version_of(cast, now, 1)
    with refused(NotAllowed):
        retirement.announce(
            version=version,
            announcement=Announcement(retires_on=now.date(), source=SOURCE),
            reason=WHY,
            by=cast.finance,
            now=now,
        )


def test_the_bill_of_materials_says_what_is_on_record_with_its_basis(ready, cast, api):
    version = ready.model_version
    document = api(cast.author).get(f"/api/v1/versions/{version.pk}/bom/").json()
    component = document["metadata"]["component"]
    assert (component["bom-ref"], component["name"]) == (version.digest, "search/visual-search")
    card = component["modelCard"]
    assert {
        "type": "accuracy",
        "value": "0.91 ratio",
        "confidenceInterval": {"lowerBound": "0.9", "upperBound": "0.92"},
    } in (card["quantitativeAnalysis"]["performanceMetrics"])
    bases = {each["name"]: each["value"].partition(";")[0] for each in card["properties"]}
    assert bases["weighbridge:basis:accuracy"] == "measured"
    assert bases["weighbridge:basis:training_gpu_hours"] == "declared"
    assert api(cast.outsider).get(f"/api/v1/versions/{version.pk}/bom/").status_code == 404


def test_a_version_without_a_request_has_a_bill_without_values(cast, now, api):
    child = version_of(cast, now, 2, 1)
    document = api(cast.author).get(f"/api/v1/versions/{child.pk}/bom/").json()
    assert lineage_of_bom(document) == parse_lineage(child.lineage)
    assert document["metadata"]["component"]["modelCard"]["properties"] == []


def test_the_model_card_says_the_same_and_where_it_may_run(decided, cast, api, as_):
    version = decided.model_version
    page = as_(cast.author).get(f"/versions/{version.pk}/").content.decode()
    assert "Where it may run" in page
    assert "authorized, until" in page
    card = api(cast.author).get(f"/api/v1/versions/{version.pk}/card/")
    assert (card.status_code, card["Content-Type"]) == (200, "text/markdown; charset=utf-8")
    text = card.content.decode()
    assert "| Accuracy | 0.91 (0.9 to 0.92) | ratio | measured | " in text
    until = decided.decision.authorization.expires_at
    assert f"- prod: authorized, until {until:%Y-%m-%d}" in text
    download = as_(cast.author).get(f"/versions/{version.pk}/card/")
    assert download["Content-Disposition"] == 'attachment; filename="visual-search-card.md"'
    bill = as_(cast.author).get(f"/versions/{version.pk}/bom/")
    assert bill.json()["bomFormat"] == "CycloneDX"
    for place in ("/versions/{}/card/", "/versions/{}/bom/"):
        assert as_(cast.outsider).get(place.format(version.pk)).status_code == 404
    assert api(cast.outsider).get(f"/api/v1/versions/{version.pk}/card/").status_code == 404


def test_a_version_that_nobody_filed_may_run_nowhere(cast, now, as_):
    child = version_of(cast, now, 2, 1)
    page = as_(cast.author).get(f"/versions/{child.pk}/").content.decode()
    assert "No request about it was submitted." in page
    card = as_(cast.author).get(f"/versions/{child.pk}/card/").content.decode()
    assert card.startswith("---\nbase_model: [")
    assert lineage_of_card(card) == parse_lineage(child.lineage)


def test_a_descendant_has_the_first_day_of_all_its_ancestors(cast, now):
    version_of(cast, now, 2, 1)
    version_of(cast, now, 3, 1, 2)
    version_of(cast, now, 5, 3, 4)
    first, later = now.date(), now.date() + timedelta(days=5)
    assert descendants({digest(1): later}) == {digest(number): later for number in (1, 2, 3, 5)}
    found = descendants({digest(1): later, digest(4): first})
    assert found == {digest(number): first if number in (4, 5) else later for number in (1, 2, 3, 4, 5)}
    assert descendants({}) == {}
