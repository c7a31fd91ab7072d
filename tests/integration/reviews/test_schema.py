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
        f"{PREFIX}rulebook/policies/": ["get", "post"],
        f"{PREFIX}rulebook/policies/{{name}}/{{number}}/": ["get"],
        f"{PREFIX}requests/": ["get", "post"],
        f"{PREFIX}requests/{{ref}}/": ["get"],
        f"{PREFIX}requests/{{ref}}/edit/": ["post"],
        f"{PREFIX}requests/{{ref}}/authorization/revoke/": ["post"],
        f"{PREFIX}requests/{{ref}}/runs/": ["post"],
        f"{PREFIX}requests/{{ref}}/checklist/": ["get"],
        f"{PREFIX}requests/{{ref}}/checklist/{{item}}/": ["post", "put"],
        f"{PREFIX}requests/{{ref}}/conditions/{{condition_id}}/confirm/": ["post"],
        f"{PREFIX}requests/{{ref}}/contradictions/{{metric}}/": ["post"],
        f"{PREFIX}requests/{{ref}}/metric-values/": ["get", "post"],
        f"{PREFIX}requests/{{ref}}/packets/": ["get", "post"],
        f"{PREFIX}requests/{{ref}}/packets/pdf/": ["get"],
        f"{PREFIX}requests/{{ref}}/packets/retry/": ["post"],
        f"{PREFIX}requests/{{ref}}/review/": ["post"],
        f"{PREFIX}requests/{{ref}}/revise/": ["post"],
        f"{PREFIX}requests/{{ref}}/submit/": ["post"],
        f"{PREFIX}requests/{{ref}}/votes/": ["get", "post"],
        f"{PREFIX}requests/{{ref}}/waivers/": ["post"],
        f"{PREFIX}requests/{{ref}}/withdraw/": ["post"],
        f"{PREFIX}runs/{{run_id}}/": ["get"],
        f"{PREFIX}runs/{{run_id}}/cancel/": ["post"],
    }
    assert {path: served.get(path) for path in known} == known
