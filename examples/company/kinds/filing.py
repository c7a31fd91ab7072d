"""The way of a subject: filed, signed by the cluster, its checklist answered, voted on, asked about at the gate."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from examples.company.client import Document
from examples.company.kinds.context import DemoContext
from examples.company.story import LONG_ANSWER
from examples.company.users import TEAM
from weighbridge.client.server import Upload
from weighbridge.core import attestation
from weighbridge.core.attested_results import AttestedMetric, AttestedResult, result_statement
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.subjects.folder import manifest_of
from weighbridge.subjects.kinds import document_of, parse_subject

INVENTED = "an invented figure of the demo"


@dataclass(frozen=True)
class SignedMetrics:
    """What the cluster signs about a model: metrics, how they came about, and the verdict of the measurement."""

    metrics: tuple[AttestedMetric, ...]
    manifest: Mapping[str, Any]
    verdict: str = "valid"


def file(
    company: DemoContext,
    model: Mapping[str, Any],
    *,
    costs: Mapping[str, Any],
    sources: Mapping[str, str] | None = None,
) -> Document:
    """Register the subject, and file and submit a request about it; `sources` are those of costs not invented."""
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
        dataset=company.data,
        metric_values=[_claim(metric, value, (sources or {}).get(metric, INVENTED)) for metric, value in costs.items()],
    )
    me.post(f"requests/{request['ref']}/submit/")
    return me.get(f"requests/{request['ref']}/")


def sign(company: DemoContext, ref: str, name: str, signed: SignedMetrics) -> None:
    """File the signed result of the cluster."""
    me, now = company.cast.requester, timezone.now()
    planned = me.get(f"requests/{ref}/plan/")
    result = AttestedResult(
        subject=planned["plan"]["subject"],
        plan=planned["digest"],
        data=planned["plan"]["data"],
        tool="demo load generator",
        started_at=now,
        finished_at=now + timedelta(seconds=1),
        verdict=signed.verdict,
        manifest=signed.manifest,
        metrics=signed.metrics,
    )
    statement = result_statement(result, subject_name=name)
    me.post(f"requests/{ref}/attested/", envelope=attestation.sign(statement, private_key_pem=company.key))


def answer_checklist(company: DemoContext, ref: str) -> None:
    """Answer every required item."""
    me, answers = company.cast.requester, company.content["answers"]
    while item := _open_item(me.get(f"requests/{ref}/")):
        text = answers.get(item["id"], LONG_ANSWER)
        answer: Document = {"is_attested": True} if item["kind"] == "attestation" else {"text": text}
        me.post(f"requests/{ref}/checklist/{item['id']}/", **answer)


def decide(company: DemoContext, ref: str) -> str:
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


def _claim(name: str, value: object, source: str) -> Document:
    unit = STANDARD[name].unit
    return {"name": name, "value": str(value), "unit": unit, "basis": "declared", "source": source}


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


def _open_item(request: Document) -> Document | None:
    """The next required item without an answer; answers decide which items follow."""
    is_open = (item for item in request["checklist"] if item["is_required"] and not item["is_complete"])
    return next(is_open, None)
