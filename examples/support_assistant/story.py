"""Run the case: train, size, ask, load-test, score, price, decide, write. A rerun does not repeat finished steps."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from examples.steps import Clock, Say, cached, nth_part, part, writing_to
from examples.support_assistant import asking, load_tests, serving, specialist
from examples.support_assistant.choosing import capacity, costing, scores
from examples.support_assistant.choosing.decision import CaseResults, choose, evidence, frontier
from examples.support_assistant.choosing.report import sheet_of
from examples.support_assistant.serving import ServedCandidate
from examples.support_assistant.settings import SupportSettings
from examples.support_assistant.tickets import SHOWN, SupportTicket, attacks, prompt_lines, tickets
from weighbridge.api.documents import write_json
from weighbridge.core.canonical import digest_of
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.tradeoff.sheets.printing import print_pdf
from weighbridge.tradeoff.sheets.publishing import Print, publish

PAGE, STEPS, PROMPTS, ATTACKS = "choice", "steps", "prompts.jsonl", "attacks.jsonl"
# Progress (0 to 1) after training, after sizing, after asking, after the attacks, and after the load tests.
TRAINED, SIZED, ASKED, ATTACKED, FIRED = 0.03, 0.06, 0.29, 0.37, 0.93
# The seed of the tickets that the specialist learns from.
TRAINING_SEED = 1_007


@dataclasses.dataclass(frozen=True)
class SupportOutcome:
    """The outcome: the headline, the winner (None if no option passes), the folder, why C is missing and why the PDF
    is; both empty or None if they are not.
    """

    headline: str
    winner: str | None
    folder: Path
    without_model: str
    without_pdf: str | None


def run_case(
    folder: Path,
    *,
    settings: SupportSettings,
    say: Say,
    now: Clock,
    why_no_model: str | None = None,
    print_page: Print = print_pdf,
) -> SupportOutcome:
    """Run the whole case in `folder`. A rerun resumes an interrupted run.

    `why_no_model` is the reason to leave C out; None looks for its packages. Raises Invalid if the folder is not
    writable or a server does not start. Exceptions of `say` are passed on.
    """
    steps, asked, attacked = folder / STEPS, tickets(settings.tickets), attacks(settings.attacks)
    without = serving.why_no_local_model() if why_no_model is None else why_no_model
    with writing_to(steps):
        prompts, planted = steps / PROMPTS, steps / ATTACKS
        prompts.write_text(prompt_lines(asked))
        planted.write_text(prompt_lines(attacked))
        trained = train(steps, settings, say)
        fit = capacity.fit_of(steps, settings)
        replica = capacity.replica_of(fit, settings)
        sizing = capacity.sizing_of(steps, replica, asked, settings, part(say, TRAINED, SIZED))
        local = [] if without else [serving.local()]
        candidates = [serving.managed(), serving.opened(replica), *local, trained]
        answers = ask(steps, candidates, asked, part(say, SIZED, ASKED))
        defenses = ask(steps, candidates, attacked, part(say, ASKED, ATTACKED), name="attacks", called="attacks")
        loads = load(steps, candidates, prompts, settings, part(say, ATTACKED, FIRED))
        say(FIRED, "scoring answers and pricing them")
        found = {
            option: scores.score(prompts, path, option, attacks=(planted, defenses[option]))
            for option, path in answers.items()
        }
        passes = {
            option: scores.write_passes(prompts, path, steps / f"passes-{option}.jsonl")
            for option, path in answers.items()
        }
    replicas = {
        option: costing.replicas_of(option, loads[option], sizing, settings) for option in loads if option != "a"
    }
    results = CaseResults(
        scores=found,
        loads=loads,
        accepted=costing.accepted(settings, found, replicas, passes),
        why_without={"c": without} if without else {},
    )
    own = replicas["b"]
    documents = {
        "pairs": scores.pairs(prompts, answers),
        "fit": fit,
        "sizing": {**sizing, "is_double": True},
        "own_or_api": costing.own_or_api(settings, found, own) if own is not None else None,
    }
    return _write(folder, settings, results, documents, say, now, print_page)


def train(folder: Path, settings: SupportSettings, say: Say) -> ServedCandidate:
    """Train the specialist unless that was done, and return it."""
    file, record = folder / "specialist.npz", folder / "specialist.json"
    if not file.is_file():
        record.unlink(missing_ok=True)

    def make() -> dict[str, Any]:
        say(0.0, "training the specialist")
        specialist.save(specialist.train(tickets(settings.training, seed=TRAINING_SEED, wordings=SHOWN)), file)
        return {"digest": digest_of_file(file)}

    taught = digest_of([each.as_prompt() for each in tickets(settings.training, seed=TRAINING_SEED, wordings=SHOWN)])
    decides = {"tickets": taught, "places": specialist.PLACES, "passes": specialist.PASSES}
    made = cached(record, decides, make)
    say(TRAINED, "the specialist is trained")
    return serving.trained(file, made["digest"])


def ask(
    folder: Path,
    candidates: Sequence[ServedCandidate],
    asked: Sequence[SupportTicket],
    say: Say,
    *,
    name: str = "answers",
    called: str = "tickets",
) -> dict[str, Path]:
    """Return the answer file of each candidate, asked unless that was done."""
    found = {}
    for index, candidate in enumerate(candidates):
        file, progress = folder / f"{name}-{candidate.option}.jsonl", nth_part(say, index, len(candidates))

        def make(candidate: ServedCandidate = candidate, progress: Say = progress) -> dict[str, Any]:
            return {"answers": asking.ask_all(candidate, asked, progress, called=called)}

        decides = {"candidate": _decides(candidate), "tickets": digest_of([each.as_prompt() for each in asked])}
        record = cached(file.with_suffix(".json"), decides, make)
        file.write_text(record["answers"])
        found[candidate.option] = file
    return found


def load(
    folder: Path, candidates: Sequence[ServedCandidate], prompts: Path, settings: SupportSettings, say: Say
) -> dict[str, dict[str, Any]]:
    """Return the load test of each candidate, run unless that was done."""
    found = {}
    for index, candidate in enumerate(candidates):
        progress = nth_part(say, index, len(candidates))

        def make(candidate: ServedCandidate = candidate, progress: Say = progress) -> dict[str, Any]:
            return load_tests.load_test(candidate, prompts, settings, progress)

        decides = {
            "candidate": _decides(candidate),
            "prompts": digest_of_file(prompts),
            "rate": str(settings.rate_of(candidate.option)),
            "seconds": str(settings.seconds),
            "seed": settings.seed,
        }
        found[candidate.option] = cached(folder / f"load-{candidate.option}.json", decides, make)
    return found


def _decides(candidate: ServedCandidate) -> str:
    """Return everything that a candidate's answers and times depend on, as text."""
    return json.dumps([candidate.model, dict(candidate.parameters), dict(candidate.decides)], sort_keys=True)


def _write(
    folder: Path,
    settings: SupportSettings,
    results: CaseResults,
    documents: Mapping[str, Any],
    say: Say,
    now: Clock,
    print_page: Print,
) -> SupportOutcome:
    """Decide, and write the report with its results beside it."""
    say(0.96, "deciding, drawing charts and writing files")
    required, decision = evidence(results), choose(results, settings)
    choice, standings = frontier(results, settings, now().isoformat())
    written = {
        **documents,
        "frontier": standings,
        "scores": results.scores,
        "accepted": results.accepted,
        "evidence": [dataclasses.asdict(each) for each in required],
        "candidates": choice.as_document(),
        "decision": decision.as_document(),
    }
    for name, document in written.items():
        write_json(folder / f"{name.replace('_', '-')}.json", document)
    sheet = sheet_of(settings, decision, results, required, choice, {**documents, "frontier": standings})
    missing = publish(sheet, folder, name=PAGE, print_page=print_page)
    say(1.0, "done")
    winner = decision.winner.name if decision.winner is not None else None
    return SupportOutcome(sheet.headline, winner, folder, results.why_without.get("c", ""), missing)
