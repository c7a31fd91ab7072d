"""The steps of the demo over HTTP. Each step prints what happens and why."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from django.utils import timezone

from examples.company.client import Caller, Document, wait
from examples.company.terminal import Terminal
from examples.company.users import TEAM
from weighbridge.client.server import ServerRefused

GPU_HOURS, GPU_HOUR_USD, SERVER_HOUR_USD, HOURS_A_YEAR = 320, "3.431", "0.805", 8_760
FINISHED, TITLE = {"done", "failed", "dead", "canceled"}, "Classify product photographs at upload"
ANSWERS = {
    "cheaper-alternatives": (
        "Three families were trained on the same images; each was made cheaper in three ways and measured beside this "
        "one. The table of the benchmark shows what INT8 saves and what it costs."
    ),
    "owner-and-rollback": (
        "Oona Owner owns the model; the visual-search rota answers pages. The model before this one stays deployed "
        "behind a switch: going back takes one configuration change and two minutes."
    ),
}
LONG_ANSWER = (
    "The visual-search team has written this down and checked it together with the platform team before filing."
)


@dataclass(frozen=True)
class Cast:
    """The users of the demo."""

    requester: Caller
    owner: Caller
    reviewer1: Caller
    reviewer2: Caller
    lead: Caller
    steward: Caller


def _govern(cast: Cast, dataset: Document, *, say: Terminal) -> Document:
    """Have the data steward confirm the evaluation set, unless an earlier run of the demo did."""
    if dataset["status"] == "proposed":
        why = "Zalando's own test images, which none of the models was trained on."
        change = cast.requester.post(f"datasets/{dataset['id']}/propose/", reason=why)
        cast.steward.post(f"changes/{change['id']}/confirm/")
        dataset = cast.requester.get(f"datasets/{dataset['id']}/")
    say.done(f"{dataset['name']}@{dataset['version']} governed by {cast.steward.name}", f"{dataset['rows']:,} rows")
    return dataset


def file_request(cast: Cast, *, model: Path, rivals: Sequence[Path], data: Path, say: Terminal) -> str:
    """Step 1: register the models and the data, and file a draft request for the best model. Returns its reference."""
    me, version = cast.requester, f"{model.stem}-{_short(model)}"
    me.withdraw_open(TITLE)
    registered = _register(me, model)
    others = [_register(me, rival)["digest"] for rival in rivals]
    _accept_ownership(cast.owner)
    dataset = _govern(
        cast, me.upload("datasets/", data, name="Fashion-MNIST test images (3,000)", license="MIT"), say=say
    )
    request = me.post(
        "requests/",
        title=TITLE,
        purpose=f"Sort product photographs into catalog categories ({version})",
        environment="prod",
        business_case=(
            "Sellers choose a wrong category for one photograph in nine, and wrongly filed products are hardly found. "
            "Suggesting the category should lift the share of findable products by two percent. Training on the whole "
            f"catalog needs {GPU_HOURS} GPU hours; serving needs one L4 all year round."
        ),
        model_version=registered["digest"],
        dataset=dataset["digest"],
        rivals=others,
        metric_values=_claims(),
    )
    say.done(
        f"{request['ref']} filed by {me.name}",
        f"{version}, chosen among {1 + len(others)} candidates; {len(_claims())} declared metric values",
    )
    return str(request["ref"])


def _register(me: Caller, model: Path) -> Document:
    name, version = "Product image classifier", f"{model.stem}-{_short(model)}"
    fields = {
        "team": TEAM,
        "slug": "product-images",
        "name": name,
        "version": version,
        "tier": "T1",
        "task": "classification",
        "owner": "owner",
    }
    return me.upload("models/", model, **fields)


def _accept_ownership(owner: Caller) -> None:
    """The person named as owner accepts; without that, a model belongs to the person who registered it."""
    for change in owner.get("changes/", kind="owner", state="pending")["results"]:
        owner.post(f"changes/{change['id']}/confirm/")


def submit(cast: Cast, ref: str, say: Terminal) -> None:
    """Step 2: submit the request; if a rule fires, ticket and benchmark are queued in the same transaction."""
    cast.requester.post(f"requests/{ref}/submit/")
    request = cast.requester.get(f"requests/{ref}/")
    say.done(
        f"the policy says: {_outcome(request)}", f"policy {request['policy']['name']} v{request['policy']['number']}"
    )
    _show_rules(request, say)


def await_ticket(cast: Cast, ref: str, say: Terminal) -> None:
    """Step 3: wait until a worker has opened the ticket."""
    found = wait(
        lambda: cast.requester.get(f"requests/{ref}/"),
        lambda request: bool(request["ticket"] and request["ticket"]["key"]),
        lambda request: None,
    )
    say.done(f"Jira ticket {found['ticket']['key']} opened over HTTP", found["ticket"]["url"])


def await_benchmarks(cast: Cast, ref: str, say: Terminal) -> Document:
    """Step 4: wait until a worker has measured the model, its rivals, and the cheaper variants of all of them."""

    def report(request: Document) -> None:
        waiting: Document = {"progress": 0.0, "phase": "", "state": "queued"}
        run = next((each for each in request["runs"] if each["state"] not in FINISHED), waiting)
        say.progress(run["progress"], run["phase"] or run["state"])

    wait(lambda: cast.requester.get(f"requests/{ref}/"), _is_measured, report)
    # Read again: a response built while the metric values were stored may contain the previous policy evaluation.
    found = cast.requester.get(f"requests/{ref}/")
    run, beside = runs_of(found)
    for each in (run, beside):
        if each["state"] != "done":
            raise SystemExit(f"The benchmark did not succeed: {each['error']}")
    say.done(f"benchmark {run['state']}: {run['verdict']}", "; ".join(run["reasons"]) or "no caveats")
    for name in ("latency_p95_ms", "throughput_per_s", "accuracy", "f1_macro", "peak_memory_mb"):
        metric = next((m for m in run["metrics"] if m["name"] == name), None)
        if metric:
            say.line(f"{name:<18} {_bounds(metric)}")
    say.done("candidates and their cheaper variants: accuracy, p95 and size", f"on the page of run {beside['id']}")
    for each in beside["variants"]:
        metric_values = f"{each['accuracy'] or '-':<25} {each['p95_ms'] or '-':<25} {each['size_mb'] or '-':<6}"
        say.line(f"{each['name']:<36} {metric_values} {each['answer']}, {each['status'] or 'not measured'}")
    say.line(f"the policy now says: {_outcome(found)}")
    _show_rules(found, say)
    return found


def _outcome(request: Document) -> str:
    return str(request["policy_evaluation"]["outcome"]).replace("_", " ")


def _show_rules(request: Document, say: Terminal) -> None:
    for rule in request["policy_evaluation"]["rules"]:
        if rule["effect"]:
            say.line(f"{rule['status']:<14} {rule['rule_id']}: {rule['reason']}")


def runs_of(request: Document) -> tuple[Document, Document]:
    """The run of the model, and the run of its alternatives."""
    by_kind = {run["scenario"]: run for run in request["runs"]}
    return by_kind["SingleStream"], by_kind["alternatives"]


def _is_measured(request: Document) -> bool:
    """Whether all runs have ended and their metric values are stored, which happens after the end of a run."""
    metric_values = {metric["name"] for metric in request["metric_values"] if metric["measured"]}
    ended = bool(request["runs"]) and all(run["state"] in FINISHED for run in request["runs"])
    is_valid = all(run["state"] == "done" and run["verdict"] != "invalid" for run in request["runs"])
    return ended and ({"latency_p95_ms", "alternatives_measured"} <= metric_values or not is_valid)


def attach_study(cast: Cast, ref: str, file: Path, say: Terminal) -> None:
    """Attach a study to the request, as what it is; a study that is no evidence stays out, with the reason."""
    try:
        study = cast.requester.upload(f"requests/{ref}/imports/", file)["study"]
    except ServerRefused as refused:
        say.line(f"Not attached: {refused.reason}")
        return
    say.done(f"attached to {ref}: {study['title'].lower()}", study["conclusions"][0])


def complete(cast: Cast, ref: str, say: Terminal) -> None:
    """Step 5: explain the contradictions, complete the checklist, and start the review."""
    me = cast.requester
    request = me.get(f"requests/{ref}/")
    for row in request["comparisons"]:
        if row["is_contradicted"] and not row["answer"]:
            say.line(f"contradicted: {row['message']}")
            me.post(
                f"requests/{ref}/contradictions/{row['name']}/",
                text="The claim came from an earlier prototype on easier photographs; please use the measured value.",
            )
    for item in request["checklist"]:
        if not item["is_complete"] and item["is_required"]:
            text = ANSWERS.get(item["id"], LONG_ANSWER)
            answers: dict[str, Document] = {"attestation": {"is_attested": True}, "text": {"text": text}}
            answer = answers.get(item["kind"])
            if answer is None:
                raise SystemExit(f"The demo cannot answer this checklist item: {item['title']}: {item['reason']}")
            me.post(f"requests/{ref}/checklist/{item['id']}/", **answer)
    done = me.get(f"requests/{ref}/")["checklist"]
    me.post(f"requests/{ref}/review/")
    say.done(
        f"checklist complete ({sum(i['is_complete'] for i in done)} of {len(done)} items), revision frozen, budget "
        "reserved"
    )


def decide(cast: Cast, ref: str, say: Terminal) -> Document:
    """Step 6: two reviewers vote, then a platform lead approves the budget. Requesters cannot approve their own."""
    stages = cast.lead.get(f"requests/{ref}/")["stages"]
    review, budget = stages[0]["id"], stages[-1]["id"]
    try:
        cast.requester.post(f"requests/{ref}/votes/", stage=review, choice="approve", rationale="It is mine.")
    except ServerRefused as refusal:
        say.line(f"{cast.requester.name} tries to approve the request. {refusal.reason.partition('): ')[2]}")
    for voter, words in (
        (cast.reviewer1, "Latency and quality are measured and within limits."),
        (cast.reviewer2, "The cost follows from list prices, and the rollback plan is credible."),
    ):
        voter.post(f"requests/{ref}/votes/", stage=review, choice="approve", rationale=words)
        say.line(f"{voter.name} approves: {words}")
    for row in cast.lead.get(f"requests/{ref}/")["budget"]:
        say.line(
            f"budget {row['quarter']} {row['unit']}: available {row['available']}, this {row['amount']}, after "
            f"{row['after']}"
        )
    condition = {
        "text": "Ship the INT8 variant if it still keeps its accuracy on last week's photographs.",
        "owner": "owner",
        "due_on": (timezone.now().date() + timedelta(days=60)).isoformat(),
    }
    cast.lead.post(
        f"requests/{ref}/votes/",
        stage=budget,
        choice="approve",
        rationale="Within budget, and worth the cost.",
        conditions=[condition],
    )
    request = cast.lead.get(f"requests/{ref}/")
    authorization = request["authorization"]
    say.done(
        f"{request['decision']['outcome'].replace('_', ' ')}; {authorization['number']} is valid until "
        f"{authorization['expires_at'][:10]}",
        f"signed for {authorization['subject_digest'][:19]}…",
    )
    return request


def fetch_packet(cast: Cast, ref: str, target: Path, say: Terminal) -> Document:
    """Step 7: wait for the packet and download it."""
    packet = wait(
        lambda: cast.lead.get(f"requests/{ref}/packets/"),
        lambda found: found["state"] in FINISHED,
        lambda found: None,
    )
    if packet["state"] != "done":
        raise SystemExit(f"The packet could not be printed: {packet['error']}")
    target.write_bytes(cast.lead.download(f"requests/{ref}/packets/pdf/"))
    say.done(f"review packet printed: {packet['pages']} pages", f"{target} ({packet['document_digest'][:19]}…)")
    return packet


def _claims() -> list[Document]:
    training = Decimal(GPU_HOUR_USD) * GPU_HOURS
    serving = Decimal(SERVER_HOUR_USD) * HOURS_A_YEAR
    prices = "list price of 2026-07-20, AWS us-east-1"
    trained = f"{GPU_HOURS} h x {GPU_HOUR_USD} USD, A100 80 GB, {prices}"
    served = f"{HOURS_A_YEAR} h x {SERVER_HOUR_USD} USD, one g6.xlarge, {prices}"
    rows = [
        ("training_gpu_hours", GPU_HOURS, "gpu_h", "declared", "training plan for the whole catalog"),
        ("training_cost_usd", training, "USD", "estimated", trained),
        ("inference_cost_1y_usd", serving, "USD", "estimated", served),
        ("total_cost_1y_usd", training + serving, "USD", "estimated", "training plus one year of serving"),
        ("latency_p95_ms", "2.5", "ms", "declared", "measured by hand on a laptop"),
        ("accuracy", "0.91", "ratio", "declared", "an earlier prototype"),
        ("business_kpi_delta", "0.02", "ratio", "declared", "share of findable products, from a pilot with 40 sellers"),
    ]
    return [{"name": n, "value": str(v), "unit": u, "basis": b, "source": s} for n, v, u, b, s in rows]


def _short(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:4]


def _bounds(metric: Document) -> str:
    if metric["lower"] is None or metric["upper"] is None:
        return f"{float(metric['value']):.4g} {metric['unit']}"
    low, high = float(metric["lower"]), float(metric["upper"])
    return f"{float(metric['value']):.4g} {metric['unit']}  [{low:.4g}, {high:.4g}]  n = {metric['n']}"
