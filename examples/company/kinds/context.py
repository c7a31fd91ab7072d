"""Where models of other kinds are reviewed: the people, a cluster whose key every policy trusts, and governed data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from examples.company.client import Caller, Document
from examples.company.story import Cast
from examples.company.terminal import Terminal
from examples.company.users import TEAM
from weighbridge.core import attestation

CLUSTER, ROWS = "training cluster", 3_000
CONTENT = Path(__file__).with_name("models.yaml")


@dataclass
class DemoContext:
    """The people, the folder of the demo, the key of the cluster, and the digest of the data.

    `content` is that of models.yaml; `filed` are the subjects that were filed, by name.
    """

    cast: Cast
    admin: Caller
    folder: Path
    key: str
    content: Mapping[str, Any]
    data: str = ""
    filed: dict[str, Document] = field(default_factory=dict)


def open_company(cast: Cast, admin: Caller, *, folder: Path, say: Terminal) -> DemoContext:
    """Return the context of the demo: every policy trusts the key of the cluster, and the data are governed."""
    folder.mkdir(parents=True, exist_ok=True)
    content = yaml.safe_load(CONTENT.read_text())
    company = DemoContext(cast, admin, folder, _key(folder / "cluster.pem"), content)
    say.done(
        f"{_trust_cluster(company)} policies trust the key of the {CLUSTER}", "a lead proposed, an admin confirmed"
    )
    company.data = _governed_data(company)
    return company


def _key(path: Path) -> str:
    """The private key of the cluster; a repeated demo uses the same."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(attestation.new_key_pem())
    return path.read_text()


def _trust_cluster(company: DemoContext) -> int:
    """Publish the next version of every policy, with the key of the cluster; return how many policies trust it now."""
    public = attestation.public_pem(company.key)
    key = {"name": CLUSTER, "kind": "cluster", "teams": [TEAM], "public_key": public}
    lead = company.cast.lead
    sources: dict[str, Document] = {}
    rows = json.loads(lead.download("rulebook/policies/"))
    for row in rows:
        if row["state"] == "published" and row["name"] not in sources:
            path = f"rulebook/policies/{row['name']}/{row['number']}/"
            sources[row["name"]] = yaml.safe_load(lead.get(path)["source"])
    for source in sources.values():
        if source.get("trust", {}).get("keys") == [key]:
            continue
        source["trust"] = {"audit_share": "0.1", "keys": [key]}
        draft = lead.post("rulebook/policies/", source=yaml.safe_dump(source, sort_keys=False, allow_unicode=True))
        path = f"rulebook/policies/{draft['name']}/{draft['number']}/propose/"
        change = lead.post(path, reason=f"Trust what the {CLUSTER} measures.")
        company.admin.post(f"changes/{change['id']}/confirm/")
    return len(sources)


def _governed_data(company: DemoContext) -> str:
    """The digest of the evaluation set of these models, which the data steward governs."""
    path = company.folder / "cases.npz"
    np.savez(path, x=np.arange(ROWS, dtype=np.float32).reshape(-1, 1), y=np.arange(ROWS) % 7)
    team = company.cast.requester
    dataset = team.upload("datasets/", path, name="Cases of the other models", license="internal")
    if dataset["status"] == "proposed":
        change = team.post(f"datasets/{dataset['id']}/propose/", reason="Drawn from last year.")
        company.cast.steward.post(f"changes/{change['id']}/confirm/")
    return str(dataset["digest"])
