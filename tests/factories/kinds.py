"""Subjects of every kind with their tasks, and the shipped rulebook with a key that may sign results."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import yaml
from django.contrib.auth.models import User

from governance.inventory.actions import inventory
from governance.inventory.actions.inventory import NewAsset, NewVersion
from governance.inventory.models import ModelVersion
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.models import PolicyVersion
from reviews.evidence.queries.attested import plan_of
from reviews.requests.models import ReviewRequest
from weighbridge.core import attestation
from weighbridge.core.attested_results import AttestedMetric, AttestedResult, result_statement
from weighbridge.core.metrics.standard import STANDARD

KEY = attestation.new_key_pem()
KEY_NAME = "build cluster"
TEAM = "search"


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


MANIFEST = {
    "kind": "manifest",
    "name": "tiny-llm",
    "files": [
        {"path": "config.json", "sha256": "1" * 64, "size_bytes": 700},
        {"path": "model-00001-of-00002.safetensors", "sha256": "2" * 64, "size_bytes": 4_000_000_000},
        {"path": "model-00002-of-00002.safetensors", "sha256": "3" * 64, "size_bytes": 2_000_000_000},
    ],
}
CONTAINER = {"kind": "container", "image": f"registry.test/search/ranker@{digest('4')}", "platform": "linux/amd64"}
MANAGED = {
    "kind": "managed",
    "provider": "openai",
    "model": "gpt-4o-mini",
    "snapshot": "2024-07-18",
    "region": "eu",
    "parameters": {"temperature": 0},
}
PIPELINE = {
    "kind": "pipeline",
    "parts": [
        {"role": "find", "subject": {"kind": "file", "format": "onnx", "sha256": "5" * 64}},
        {"role": "answer", "subject": MANAGED},
    ],
}
DEPLOYMENT = {
    "kind": "deployment",
    "model": MANIFEST,
    "server": {"image": f"registry.test/search/vllm@{digest('6')}"},
    "hardware": {"accelerator": "h100", "count": 2, "tensor_parallel": 2},
    "settings": {"max_num_seqs": 64},
    "context_tokens": 8192,
}


def key_section(key: str = KEY, *, share: str = "0", teams: tuple[str, ...] = ()) -> dict[str, Any]:
    """The section `trust` of a policy."""
    entry: dict[str, Any] = {"name": KEY_NAME, "kind": "cluster", "public_key": attestation.public_pem(key)}
    return {"audit_share": float(share), "keys": [entry | ({"teams": list(teams)} if teams else {})]}


def publish_shipped(*, now: datetime, trust: Mapping[str, Any] | None = None) -> dict[str, PolicyVersion]:
    """Publish every shipped checklist and policy, each policy with a trusted key."""
    for name in defaults.names_of("checklists"):
        rulebook.publish(
            version=rulebook.draft_checklist(source=defaults.text_of(name), by=None, now=now), by=None, now=now
        )
    return {
        version.name: version
        for name in defaults.names_of("policies")
        for version in [publish_policy(defaults.text_of(name), now=now, trust=trust)]
    }


def publish_policy(source: str, *, now: datetime, trust: Mapping[str, Any] | None = None) -> PolicyVersion:
    """Publish a policy with a trusted key."""
    document = yaml.safe_load(source) | {"trust": dict(trust or key_section())}
    # Rules about cheaper variants and their runs are tested elsewhere.
    document["alternatives"] = None
    document["rules"] = [rule for rule in document["rules"] if rule.get("metric") != "alternatives_measured"]
    draft = rulebook.draft_policy(source=yaml.safe_dump(document, sort_keys=False), by=None, now=now)
    return rulebook.publish(version=draft, by=None, now=now)


def with_trust(source: str) -> str:
    """A policy as it ships, with a trusted key."""
    return yaml.safe_dump(yaml.safe_load(source) | {"trust": key_section()}, sort_keys=False)


def register(
    *,
    task: str,
    by: User,
    now: datetime,
    slug: str = "subject",
    version: str = "1",
    subject: Mapping[str, Any] | None = None,
    **fields: Any,
) -> ModelVersion:
    """Register a version of a new model of the search team."""
    asset = NewAsset(team=TEAM, slug=slug, name=slug.capitalize(), tier="T1", task=task, owner=by)
    return inventory.register(entry=NewVersion(asset=asset, version=version, subject=subject, **fields), by=by, now=now)


@dataclass(frozen=True)
class Signed:
    """What the cluster measured: metric -> value, and how many samples each has."""

    values: Mapping[str, str]
    n: int = 3000


def result_for(request: ReviewRequest, signed: Signed, *, now: datetime, **changes: Any) -> AttestedResult:
    """The result of a run that followed the plan of the request."""
    plan = plan_of(request)
    metrics = tuple(
        AttestedMetric(
            name=name,
            value=Decimal(value),
            unit=STANDARD[name].unit,
            n=signed.n,
            lower=Decimal(value) * Decimal("0.99"),
            upper=Decimal(value) * Decimal("1.01"),
            confidence=Decimal("0.95"),
        )
        for name, value in signed.values.items()
    )
    fields = {
        "subject": plan.subject,
        "plan": plan.digest,
        "data": plan.data,
        "tool": "loadgen 5.0",
        "started_at": now,
        "finished_at": now + timedelta(minutes=1),
        "verdict": "valid",
        "manifest": {"machine": "8 x H200"},
        "metrics": metrics,
    }
    return AttestedResult(**{**fields, **changes})


def envelope_of(result: AttestedResult, *, key: str = KEY) -> dict[str, Any]:
    """The signed statement, as it comes over the wire."""
    signed = attestation.sign(result_statement(result, subject_name="subject"), private_key_pem=key)
    return dict(json.loads(json.dumps(signed)))
