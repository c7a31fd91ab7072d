"""Models of other kinds in a short form: filed, measured elsewhere and signed, voted on, asked about at the gate.

What they are and what was measured stands in models.yaml.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import weighbridge
from examples.company.kinds.alternatives import compared_alternatives
from examples.company.kinds.context import ROWS, DemoContext
from examples.company.kinds.filing import SignedMetrics, answer_checklist, decide, file, sign
from examples.company.kinds.support import SupportCase
from examples.company.terminal import Terminal
from weighbridge.core.attested_results import AttestedMetric
from weighbridge.core.metrics.standard import STANDARD

YEARLY = "inference_cost_1y_usd"
OF_CASE = "the example of the support assistant, at list prices"


def review_all(company: DemoContext, say: Terminal) -> dict[str, str]:
    """Take every model of models.yaml from filing to the gate. Returns the answer of the gate by name.

    Raises SystemExit unless the gate allows every one of them.
    """
    answers = {}
    for model in company.content["models"]:
        request = file(company, model, costs=company.content["costs"])
        ref = request["ref"]
        sign(company, ref, model["name"], _signed(company, model))
        answer_checklist(company, ref)
        if "experiment" in model:
            say.line(_attach_experiment(company, ref, model["experiment"]))
        answers[model["name"]] = decide(company, ref)
        policy = f"policy {request['policy']['name']}"
        say.done(f"{model['name']}: {_kind(model)}, {model['task']}; the gate says {answers[model['name']]}", policy)
    if set(answers.values()) != {"allow"}:
        raise SystemExit(f"The gate did not give the expected answers: {answers}")
    return answers


def review_support(company: DemoContext, case: SupportCase, say: Terminal) -> dict[str, str]:
    """Take the managed model of the support assistant from filing to the gate. Returns its reference and the answer.

    Raises SystemExit unless the gate allows it.
    """
    model = company.content["support"]
    costs = {**company.content["costs"], **model["costs"], YEARLY: f"{case.cost_of_year_usd:.2f}"}
    ref = file(company, model, costs=costs, sources={YEARLY: OF_CASE})["ref"]
    say.done(f"{ref}: {model['name']}, a managed model", "the subject is the double itself: no vendor was called")
    sign(company, ref, model["name"], SignedMetrics(case.metrics, case.manifest, case.verdict))
    answer_checklist(company, ref)
    answer = decide(company, ref)
    say.done(f"the gate says {answer}", f"{len(case.metrics)} metrics of its load test and scores, signed")
    if answer != "allow":
        raise SystemExit(f"The gate did not allow {ref}.")
    return {"ref": ref, "answer": answer}


def _kind(model: Mapping[str, Any]) -> str:
    if "parts" in model:
        return "pipeline"
    return "manifest" if "files" in model else str(model["subject"]["kind"])


def _signed(company: DemoContext, model: Mapping[str, Any]) -> SignedMetrics:
    """Return the invented figures of a model, and its compared alternatives if it has some."""
    metrics = [_measured(name, str(value)) for name, value in model["signed"].items()]
    manifest: dict[str, Any] = {"machine": "an invented machine of the demo"}
    if "alternatives" in model:
        compared = compared_alternatives(model["alternatives"], folder=company.folder / "alternatives")
        manifest["alternatives"] = compared
        metrics += [_counted(name, metric) for name, metric in compared["metrics"].items()]
    return SignedMetrics(tuple(metrics), manifest)


def _attach_experiment(company: DemoContext, ref: str, arms: Mapping[str, str]) -> str:
    """Attach an A/B test as a study; return what it says."""
    path = company.folder / "experiment.json"
    path.write_text(
        json.dumps(weighbridge.experiment(control=arms["control"], treatment=arms["treatment"]).document, indent=1)
        + "\n"
    )
    attached = company.cast.requester.upload(f"requests/{ref}/imports/", path)
    return f"A/B test attached: {attached['study']['conclusions'][0]}"


def _measured(name: str, value: str) -> AttestedMetric:
    """A value with an interval of one percent to either side."""
    number = Decimal(value)
    lower, upper = number * Decimal("0.99"), number * Decimal("1.01")
    unit, confidence = STANDARD[name].unit, Decimal("0.95")
    return AttestedMetric(name=name, value=number, unit=unit, n=ROWS, lower=lower, upper=upper, confidence=confidence)


def _counted(name: str, metric: Mapping[str, Any]) -> AttestedMetric:
    return AttestedMetric(name=name, value=Decimal(int(metric["value"])), unit=metric["unit"], n=metric["n"])
