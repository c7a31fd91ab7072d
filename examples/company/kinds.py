"""Seven models of other kinds in a short form: filed, measured elsewhere and signed, voted on, asked about at the gate.

What they are and what was measured stands in kinds.yaml.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from django.utils import timezone

import weighbridge
from examples.company.alternatives import compared_alternatives
from examples.company.client import Caller, Document
from examples.company.story import LONG_ANSWER, Cast
from examples.company.terminal import Terminal
from examples.company.users import TEAM
from weighbridge.client.server import Upload
from weighbridge.core import attestation
from weighbridge.core.attested_results import AttestedMetric, AttestedResult, result_statement
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.subjects.folder import manifest_of
from weighbridge.subjects.kinds import document_of, parse_subject

CLUSTER = "training cluster"
SOURCE = "an invented figure of the demo"
SAMPLES = 3_000


@dataclass
class DemoContext:
    """The people, the folder of the demo, the key of the cluster, and the subjects that were filed, by name."""

    cast: Cast
    admin: Caller
    folder: Path
    key: str
    filed: dict[str, Document] = field(default_factory=dict)


def review_all(cast: Cast, admin: Caller, *, folder: Path, say: Terminal) -> dict[str, str]:
    """Take every model of kinds.yaml from filing to the gate. Returns the answer of the gate by name.

    Raises SystemExit unless the gate allows every one of them.
    """
    story = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    company = DemoContext(cast, admin, folder, _key(folder / "cluster.pem"))
    say.done(
        f"{_trust_cluster(company)} policies trust the key of the {CLUSTER}", "a lead proposed, an admin confirmed"
    )
    data, answers = _governed_data(company), {}
    for model in story["models"]:
        request = _file(company, model, data=data, costs=story["costs"])
        _supply(company, request, model, answers=story["answers"])
        if "experiment" in model:
            say.line(_attach_experiment(company, request["ref"], model["experiment"]))
        answers[model["name"]] = _decide(company, request["ref"])
        policy = f"policy {request['policy']['name']}"
        say.done(f"{model['name']}: {_kind(model)}, {model['task']}; the gate says {answers[model['name']]}", policy)
    if set(answers.values()) != {"allow"}:
        raise SystemExit(f"The gate did not give the expected answers: {answers}")
    return answers


def _key(path: Path) -> str:
    """The private key of the cluster; a repeated demo uses the same."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(attestation.new_key_pem())
    return path.read_text()


def _kind(model: Mapping[str, Any]) -> str:
    if "parts" in model:
        return "pipeline"
    return "manifest" if "files" in model else str(model["subject"]["kind"])


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
    np.savez(path, x=np.arange(SAMPLES, dtype=np.float32).reshape(-1, 1), y=np.arange(SAMPLES) % 7)
    team = company.cast.requester
    dataset = team.upload("datasets/", path, name="Cases of the other models", license="internal")
    if dataset["status"] == "proposed":
        change = team.post(f"datasets/{dataset['id']}/propose/", reason="Drawn from last year.")
        company.cast.steward.post(f"changes/{change['id']}/confirm/")
    return str(dataset["digest"])


def _file(company: DemoContext, model: Mapping[str, Any], *, data: str, costs: Mapping[str, Any]) -> Document:
    """Register the subject, and file and submit a request about it."""
    me, name = company.cast.requester, model["name"]
    form = {"team": TEAM, "slug": name.lower().replace(" ", "-"), "name": name, "tier": "T1", "task": model["task"]}
    subject = _subject(company, model)
    form |= {"version": f"{timezone.now():%Y%m%d-%H%M%S}", "owner": "requester", "subject": json.dumps(subject)}
    upload = Upload(form, None, boundary=f"weighbridge-{secrets.token_hex(8)}")
    registered = me.server.upload("/api/v1/models/", upload, key=secrets.token_hex(8))
    company.filed[name] = subject
    request = me.post(
        "requests/",
        title=name,
        purpose=f"{name}, filed at {timezone.now():%Y-%m-%d %H:%M:%S}",
        environment="prod",
        business_case=f"{name} should lift conversion by 1.5 percent. {LONG_ANSWER}",
        model_version=registered["digest"],
        dataset=data,
        metric_values=[_claim(metric, value) for metric, value in costs.items()],
    )
    me.post(f"requests/{request['ref']}/submit/")
    return me.get(f"requests/{request['ref']}/")


def _claim(name: str, value: object) -> Document:
    unit = STANDARD[name].unit
    return {"name": name, "value": str(value), "unit": unit, "basis": "declared", "source": SOURCE}


def _subject(company: DemoContext, model: Mapping[str, Any]) -> Document:
    if "parts" in model:
        parts = [{"role": role, "subject": company.filed[name]} for role, name in model["parts"].items()]
        return document_of(parse_subject({"kind": "pipeline", "parts": parts}))
    if "subject" in model:
        return document_of(parse_subject(model["subject"]))
    folder = company.folder / model["name"].lower().replace(" ", "-")
    folder.mkdir(exist_ok=True)
    for name in model["files"]:
        (folder / name).write_text(f"{name} of the invented model {model['name']}\n")
    return document_of(manifest_of(folder))


def _supply(company: DemoContext, request: Document, model: Mapping[str, Any], *, answers: Mapping[str, str]) -> None:
    """File the signed result of the cluster, and answer the checklist."""
    me, ref = company.cast.requester, request["ref"]
    planned = me.get(f"requests/{ref}/plan/")
    metrics = [_measured(name, str(value)) for name, value in model["signed"].items()]
    manifest: Document = {"machine": "an invented machine of the demo"}
    if "alternatives" in model:
        compared = compared_alternatives(model["alternatives"], folder=company.folder / "alternatives")
        manifest["alternatives"] = compared
        metrics += [_counted(name, metric) for name, metric in compared["metrics"].items()]
    now = timezone.now()
    result = AttestedResult(
        subject=planned["plan"]["subject"],
        plan=planned["digest"],
        data=planned["plan"]["data"],
        tool="demo load generator",
        started_at=now,
        finished_at=now + timedelta(seconds=1),
        verdict="valid",
        manifest=manifest,
        metrics=tuple(metrics),
    )
    statement = result_statement(result, subject_name=model["name"])
    me.post(f"requests/{ref}/attested/", envelope=attestation.sign(statement, private_key_pem=company.key))
    while item := _open_item(me.get(f"requests/{ref}/")):
        text = answers.get(item["id"], LONG_ANSWER)
        answer: Document = {"is_attested": True} if item["kind"] == "attestation" else {"text": text}
        me.post(f"requests/{ref}/checklist/{item['id']}/", **answer)


def _attach_experiment(company: DemoContext, ref: str, arms: Mapping[str, str]) -> str:
    """Attach an A/B test as a study; return what it says."""
    path = company.folder / "experiment.json"
    path.write_text(
        json.dumps(weighbridge.experiment(control=arms["control"], treatment=arms["treatment"]).document, indent=1)
        + "\n"
    )
    attached = company.cast.requester.upload(f"requests/{ref}/imports/", path)
    return f"A/B test attached: {attached['study']['conclusions'][0]}"


def _open_item(request: Document) -> Document | None:
    """The next required item without an answer; answers decide which items follow."""
    is_open = (item for item in request["checklist"] if item["is_required"] and not item["is_complete"])
    return next(is_open, None)


def _measured(name: str, value: str) -> AttestedMetric:
    """A value with an interval of one percent to either side."""
    number = Decimal(value)
    lower, upper = number * Decimal("0.99"), number * Decimal("1.01")
    unit, confidence = STANDARD[name].unit, Decimal("0.95")
    return AttestedMetric(
        name=name, value=number, unit=unit, n=SAMPLES, lower=lower, upper=upper, confidence=confidence
    )


def _counted(name: str, metric: Mapping[str, Any]) -> AttestedMetric:
    return AttestedMetric(name=name, value=Decimal(int(metric["value"])), unit=metric["unit"], n=metric["n"])


def _decide(company: DemoContext, ref: str) -> str:
    """Let every stage approve, and ask the gate."""
    cast = company.cast
    voters = {
        "reviewer": (cast.reviewer1, cast.reviewer2),
        "platform_lead": (cast.lead,),
        "data_steward": (cast.steward,),
    }
    cast.requester.post(f"requests/{ref}/review/")
    for stage in cast.lead.get(f"requests/{ref}/")["stages"]:
        for voter in voters[stage["role"]]:
            voter.post(f"requests/{ref}/votes/", stage=stage["id"], choice="approve", rationale="As it should be.")
    decided = cast.lead.get(f"requests/{ref}/")
    answer = cast.requester.get("gate/", subject=decided["authorization"]["subject_digest"], env="prod")
    return str(answer["answer"])
