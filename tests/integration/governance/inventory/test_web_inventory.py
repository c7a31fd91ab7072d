"""The model inventory: who sees what, filters, and links that lead on."""

from django.urls import reverse

from governance.inventory.actions import inventory
from governance.inventory.actions.ownership import name_owner
from governance.people.domain.roles import Role
from tests.factories.models import make_version
from tests.factories.people import make_person
from tests.pages import html_of


def test_a_reader_sees_the_models_of_their_teams_alone(as_, version, outsider, now):
    other = make_version(by=outsider, team="ads", slug="click-model", seed=5, now=now)
    page = html_of(as_(outsider).get("/models/"))
    assert "Click model" in page
    assert "Visual search" not in page
    assert as_(outsider).get(f"/models/search/{version.asset.slug}/").status_code == 404
    assert as_(outsider).get(f"/models/ads/{other.asset.slug}/").status_code == 200


def test_whoever_judges_everybody_sees_every_model(as_, version, outsider, reviewer_one, now):
    make_version(by=outsider, team="ads", slug="click-model", seed=5, now=now)
    page = as_(reviewer_one).get("/models/")
    assert [asset.name for asset in page.context["page"]] == ["Click model", "Visual search"]
    assert [asset.version_count for asset in page.context["page"]] == [1, 1]


def test_the_list_is_narrowed_by_name_digest_team_and_tier(as_, version, outsider, reviewer_one, now):
    make_version(by=outsider, team="ads", slug="click-model", tier="T3", seed=5, now=now)
    client = as_(reviewer_one)

    def names(**query):
        return [asset.slug for asset in client.get("/models/", query).context["page"]]

    assert names(q="visual") == ["visual-search"]
    assert names(q=version.digest) == ["visual-search"]
    assert names(team="ads") == ["click-model"]
    assert names(tier="T3") == ["click-model"]
    assert names(q="nothing like it") == []
    assert names(team="no-such-team", tier="T9") == ["click-model", "visual-search"]


def test_an_empty_inventory_says_what_to_do(as_, reviewer_one):
    assert "No models yet" in html_of(as_(reviewer_one).get("/models/"))
    assert "No model fits these filters" in html_of(as_(reviewer_one).get("/models/?q=x"))


def test_a_model_page_shows_versions_history_and_where_its_requests_are(as_, version, author, now):
    digest = "sha256:" + "4f" * 32
    old = inventory.NewVersion(asset=version.asset, version="0.9.0", uri="s3://models/old.safetensors", digest=digest)
    inventory.register(entry=old, by=author, now=now)
    answer = as_(author).get("/models/search/visual-search/")
    page = html_of(answer)
    assert [each.version for each in answer.context["versions"]] == ["0.9.0", "1.0.0"]
    assert "s3://models/old.safetensors" in page
    assert f"{reverse('reviews:list')}?q=sha256%3A{'4f' * 32}" in page
    assert 'hx-get="/models/search/visual-search/runs/"' in page
    assert "Model version registered" in page


def test_a_model_page_without_versions_says_so(as_, author, team, now):
    inventory.register_asset(
        team="search", slug="new", name="New", tier="T2", task="classification", owner=author, by=author, now=now
    )
    assert "No version yet" in html_of(as_(author).get("/models/search/new/"))


def test_a_stranger_is_sent_to_the_log_in_page(client, db):
    assert client.get("/models/").headers["Location"] == "/accounts/login/?next=/models/"


def test_the_process_says_that_it_lives_without_a_session(client):
    answer = client.get("/livez")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_a_model_page_and_its_change_tell_who_is_to_own_it(as_, version, author, reviewer_one, team, now):
    colleague = make_person("colleague", Role.REQUESTER, team=team, now=now)
    change = name_owner(asset=version.asset, owner=colleague, by=author, now=now)
    for reader in (author, colleague, reviewer_one):
        page = html_of(as_(reader).get("/models/search/visual-search/"))
        assert f"/changes/{change.pk}/" in page
        assert "not accepted yet" in page
    page = html_of(as_(colleague).get(f"/changes/{change.pk}/"))
    assert "/models/search/visual-search/" in page
    assert "Accept" in page
    assert "No version of this name" not in page
    as_(colleague).post(f"/changes/{change.pk}/confirm/")
    assert "not accepted yet" not in html_of(as_(author).get("/models/search/visual-search/"))
