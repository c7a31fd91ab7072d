"""Deployments filed by the form and over the API: what is stored, and what is refused at which field."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from governance.inventory.models import ModelAsset, ModelVersion
from reviews.requests.models import ReviewRequest
from tests.factories import kinds
from tests.integration.reviews.requests.reading import enter
from tests.integration.reviews.workflow.test_web_filing import new_model

pytestmark = pytest.mark.django_db
SERVER = f"registry.test/search/vllm@{kinds.digest('6')}"


@pytest.fixture
def served(author: User, now: datetime) -> ModelVersion:
    return kinds.register(task="generation", slug="weights", subject=kinds.MANIFEST, by=author, now=now)


def deployment(author: User, **changes: Any) -> dict[str, Any]:
    fields = {"artifact": "deployment", "name": "Assistant", "task": "generation", "server": SERVER}
    sent = new_model(author, **(fields | changes))
    del sent["file"]
    return sent


def filed(author: User, **changes: Any) -> dict[str, Any]:
    page = enter(author).post("/requests/new/", deployment(author, **changes), follow=True)
    assert page.redirect_chain, page.context["form"].errors
    version = ReviewRequest.objects.get().model_version
    assert version.kind == "deployment"
    return dict(version.document)


def test_every_field_is_a_key_of_the_document(author: User, served: ModelVersion) -> None:
    document = filed(
        author,
        served=served.digest,
        accelerator="H100",
        count="4",
        tensor_parallel="2",
        context_tokens="8192",
        cached_share="0.25",
        settings='{"max_num_seqs": 64, "gpu_memory_utilization": 0.9}',
    )
    assert document == {
        "kind": "deployment",
        "model": kinds.MANIFEST,
        "server": {"image": SERVER},
        "hardware": {"accelerator": "h100", "count": 4, "tensor_parallel": 2},
        "settings": {"max_num_seqs": 64, "gpu_memory_utilization": 0.9},
        "context_tokens": 8192,
        "prompt_cache": {"is_enabled": True, "cached_share": 0.25},
    }


def test_what_is_left_out_is_managed_hardware_without_settings(author: User, served: ModelVersion) -> None:
    document = filed(author, served=served.digest, server="text generation 3.1", cached_share="0")
    assert document["server"] == {"name": "text generation", "version": "3.1"}
    assert (document["hardware"], document["settings"]) == ("managed", {})
    assert document["prompt_cache"] == {"is_enabled": False, "cached_share": 0}


def test_a_managed_model_has_no_server(author: User, now: datetime) -> None:
    model = kinds.register(task="generation", slug="api", subject=kinds.MANAGED, by=author, now=now)
    document = filed(author, served=model.digest, server="")
    assert document["model"]["kind"] == "managed"
    assert "server" not in document


def test_a_pipeline_is_served_by_its_digest(author: User, now: datetime) -> None:
    model = kinds.register(task="generation", slug="steps", subject=kinds.PIPELINE, by=author, now=now)
    assert filed(author, served=model.digest)["model"] == {"digest": model.digest}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"served": ""}, "served"),
        ({"served": kinds.digest("f")}, "served"),
        ({"server": ""}, "server"),
        ({"server": "vllm"}, "server"),
        ({"server": "registry.test/vllm@sha256:abc"}, "server"),
        ({"accelerator": "h 100"}, "accelerator"),
        ({"count": "2"}, "accelerator"),
        ({"accelerator": "h100", "count": "3", "tensor_parallel": "2"}, "accelerator"),
        ({"count": "0"}, "count"),
        ({"settings": "{"}, "settings"),
        ({"settings": "[1]"}, "settings"),
        ({"context_tokens": "0"}, "context_tokens"),
        ({"cached_share": "2"}, "cached_share"),
    ],
)
def test_refusals_are_at_their_field_and_nothing_is_filed(
    author: User, served: ModelVersion, changes: dict[str, str], field: str
) -> None:
    page = enter(author).post("/requests/new/", deployment(author, **({"served": served.digest} | changes)))
    assert page.status_code == 400
    assert list(page.context["form"].errors) == [field]
    assert (ReviewRequest.objects.count(), ModelAsset.objects.count()) == (0, 1)


def test_the_api_takes_the_document(api: Any, author: User) -> None:
    sent = {"team": "search", "slug": "assistant", "name": "Assistant", "version": "1", "tier": "T1"}
    sent |= {"task": "generation", "owner": author.username, "subject": json.dumps(kinds.DEPLOYMENT)}
    answer = api(author).post("/api/v1/models/", sent)
    assert answer.status_code == 201, answer.json()
    version = ModelVersion.objects.get()
    assert (answer.json()["kind"], version.document) == ("deployment", kinds.DEPLOYMENT)
    assert kinds.digest("6") in version.contained
