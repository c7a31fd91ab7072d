"""`costs/`."""

from benchmarking.projections.models import CostProjection
from tests.factories.costs import cost_spec

URL = "/api/v1/costs/"


def test_a_spec_is_projected_without_being_kept(api, author):
    answer = api(author).post(URL, {"spec": cost_spec()}, format="json")
    assert answer.status_code == 200
    assert answer.json()["schema"] == "weighbridge.projection/1"
    assert CostProjection.objects.count() == 0


def test_a_kept_one_has_a_link_and_is_read_and_replayed(api, author):
    client = api(author)
    kept = client.post(URL, {"spec": cost_spec(), "keep": True}, format="json")
    token = CostProjection.objects.get().token
    assert (kept.status_code, kept.json()["token"]) == (201, token)
    assert client.post(URL, {"spec": cost_spec(), "keep": True}, format="json").json()["token"] == token
    assert client.get(f"{URL}{token}/").json() == kept.json()
    today = client.get(f"{URL}{token}/replay/").json()
    assert (today["prices"], today["metrics"]) == ([], [])
    assert client.get(f"{URL}nothing-of-the-kind/").status_code == 404


def test_a_fault_is_named_by_its_path(api, author):
    spec = cost_spec()
    spec["options"][0]["serving"]["usd_per_replica_h"] = {"sku": "aws/us-east-1/g5.xlarg"}
    answer = api(author).post(URL, {"spec": spec, "keep": True}, format="json")
    assert answer.status_code == 400
    assert "options[0].serving.usd_per_replica_h.sku" in answer.content.decode()
    assert CostProjection.objects.count() == 0
