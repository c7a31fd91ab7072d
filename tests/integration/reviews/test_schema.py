"""The schema says what is served."""

import yaml
from django.test import Client

from tests.architecture.tree import ROOT
from tests.factories.people import PASSWORD

PREFIX = "/api/v1/"


def test_the_schema_is_served_and_names_every_address(cast: object, client: Client) -> None:
    client.login(username="author", password=PASSWORD)
    response = client.get("/api/v1/schema/")
    assert response.status_code == 200
    paths = yaml.safe_load(response.content)["paths"]
    served = {path: sorted(set(operations) - {"parameters"}) for path, operations in paths.items()}
    assert paths == yaml.safe_load((ROOT / "docs" / "reference" / "openapi.yaml").read_text())["paths"]
    known = {
        f"{PREFIX}audit/": ["get"],
        f"{PREFIX}budgets/": ["get", "post"],
        f"{PREFIX}datasets/": ["get", "post"],
        f"{PREFIX}gate/": ["get"],
        f"{PREFIX}keys/": ["get"],
        f"{PREFIX}models/": ["get", "post"],
        f"{PREFIX}policies/": ["get", "post"],
        f"{PREFIX}policies/{{name}}/{{number}}/": ["get"],
        f"{PREFIX}reviews/": ["get", "post"],
        f"{PREFIX}reviews/{{ref}}/": ["get"],
        f"{PREFIX}reviews/{{ref}}/authorization/revoke/": ["post"],
        f"{PREFIX}reviews/{{ref}}/benchmarks/": ["post"],
        f"{PREFIX}reviews/{{ref}}/checklist/": ["get"],
        f"{PREFIX}reviews/{{ref}}/checklist/{{item}}/": ["post", "put"],
        f"{PREFIX}reviews/{{ref}}/conditions/{{condition_id}}/confirm/": ["post"],
        f"{PREFIX}reviews/{{ref}}/contradictions/{{fact}}/": ["post"],
        f"{PREFIX}reviews/{{ref}}/facts/": ["get", "post"],
        f"{PREFIX}reviews/{{ref}}/packet/": ["get", "post"],
        f"{PREFIX}reviews/{{ref}}/packet/pdf/": ["get"],
        f"{PREFIX}reviews/{{ref}}/packet/retry/": ["post"],
        f"{PREFIX}reviews/{{ref}}/request-review/": ["post"],
        f"{PREFIX}reviews/{{ref}}/revise/": ["post"],
        f"{PREFIX}reviews/{{ref}}/submit/": ["post"],
        f"{PREFIX}reviews/{{ref}}/votes/": ["get", "post"],
        f"{PREFIX}reviews/{{ref}}/waivers/": ["post"],
        f"{PREFIX}reviews/{{ref}}/withdraw/": ["post"],
        f"{PREFIX}runs/{{run_id}}/": ["get"],
        f"{PREFIX}runs/{{run_id}}/cancel/": ["post"],
    }
    assert {path: served.get(path) for path in known} == known
