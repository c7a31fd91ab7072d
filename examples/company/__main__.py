"""`make demo`: set up, train, and review a real model; then play two quarters of a generated company."""

import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # on a busy machine, spinning threads cost more than they gain

from config import env
from examples.company.gates import ask_gates
from examples.company.terminal import Terminal

STANDIN_TOKEN = "standin-token"  # noqa: S105 -- token of the stand-in on loopback


def main() -> None:
    """Run the demo. It stops all processes that it starts."""
    say, began = Terminal(), time.monotonic()
    var = env.var_folder()
    say.step("Set up: database, tables, default policy and checklist")
    people = set_up()
    say.done(
        "PostgreSQL is running, the policy is published, nine people have their roles; two administrators granted the "
        "approving roles"
    )
    from examples.company import train

    say.step("Train a MobileNet, a ResNet and a Vision Transformer on 10,000 product images, on this machine")
    models = train.train(var, say.line)
    say.done(f"{models.best.stem} is the best", f"{models.best.stat().st_size / 1e6:.2f} MB ONNX")
    farewell = play(say, var, people, models)
    # The processes of the first part have stopped, so that no tick advances the quarters of the second.
    from examples.company.portfolio import story

    packet = story.run(say, folder=var / "demo" / "company")
    finish_jobs()
    farewell(packet)
    say.console.print(f"\n[dim]{time.monotonic() - began:.0f} s in total.[/dim]")


def finish_jobs() -> None:
    """Deliver the messages and print the packets of the generated company: `make run` begins without a backlog."""
    from django.utils import timezone
    from django.utils.module_loading import autodiscover_modules

    from governance.audit.actions import record as audit
    from governance.jobs import outbox
    from governance.jobs.models import OutboxMessage
    from reviews.packets.models import Packet
    from reviews.packets.tasks import render_packet

    def deliver(pk: int) -> None:
        """This very message: the task of the workers takes the one whose turn it is, and would leave others."""
        with audit.origin("job"):
            outbox.deliver(pk=pk, now=timezone.now())

    autodiscover_modules("tasks")
    for model, work in ((OutboxMessage, deliver), (Packet, render_packet)):
        tried: set[int] = set()
        while due := [row.pk for row in model.due(now=timezone.now(), limit=1_000) if row.pk not in tried]:
            tried.update(due)
            for pk in due:
                work(pk)


def set_up() -> dict[str, Any]:
    """Create the tables, the rulebook and the people. Returns the name and a token of each person."""
    import django

    django.setup()
    logging.getLogger().setLevel(logging.WARNING)
    from django.core.management import call_command
    from django.utils import timezone

    from examples.company import users
    from governance.audit.actions import record as audit

    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    with Path(os.devnull).open("w") as nowhere:
        call_command("prepare", stdout=nowhere)
    with audit.origin("command"):
        accounts = users.create_users(now=timezone.now())
        first, second = (accounts[name] for name in users.ADMINS)
        users.allow_unsandboxed_runs(by=first, confirmed_by=second, now=timezone.now())
        return {
            name: (user.get_full_name(), users.token_for(user, now=timezone.now())) for name, user in accounts.items()
        }


def play(say: Terminal, var: Path, people: dict[str, Any], models: Any) -> Callable[[Path], None]:
    """Play the first part, on a server of its own. Returns what says farewell."""
    from examples.company import story
    from examples.company.client import Caller
    from governance.operations.management.stack import Stack
    from weighbridge.client.server import PlatformServer

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    callers = {name: Caller(words, PlatformServer(url, token)) for name, (words, token) in people.items()}
    say.step("Start the web server, two workers, the tick, and a stand-in for Jira Cloud")
    with Stack(logs=var / "logs") as stack:
        jira_url = start_jira(stack, var)
        stack.environment |= {
            "WEIGHBRIDGE_BASE_URL": url,
        }
        connect_jira(jira_url, var / "demo")
        stack.start_all(port=port)
        stack.wait_for(f"{url}/livez")
        say.done(f"application at {url}, Jira stand-in at {jira_url}", f"logs in {var / 'logs'}")
        cast = story.Cast(
            *(callers[name] for name in ("requester", "owner", "reviewer1", "reviewer2", "lead", "steward"))
        )
        return _review(say, var, cast, story, models, callers["admin"])


def _review(say: Terminal, var: Path, cast: Any, story: Any, models: Any, admin: Any) -> Callable[[Path], None]:
    from examples.company import device

    target = var / "demo"
    say.step("The team files a model review request")
    ref = story.file_request(cast, model=models.best, rivals=models.others, data=models.data, say=say)
    say.step("The policy is evaluated on the declared values")
    story.submit(cast, ref, say)
    say.step("A ticket is opened and the benchmarks start: the model, its rivals, and cheaper variants of all of them")
    story.await_ticket(cast, ref, say)
    measured = story.await_benchmarks(cast, ref, say)
    say.step("The same model in a browser, as on the device of a user")
    on_worker = {metric["name"]: metric for metric in story.runs_of(measured)[0]["metrics"]}
    in_browser = device.measure(models.best, models.data, on_worker, folder=target, say=say)
    if in_browser:
        story.attach_study(cast, ref, target / device.RESULT, say)
    say.step("The requester completes the open items and starts the review")
    story.complete(cast, ref, say)
    say.step("Reviewers vote, and a platform lead approves the GPU budget")
    decided = story.decide(cast, ref, say)
    say.step("The packet")
    packet = story.fetch_packet(cast, ref, target / "packet.pdf", say)
    say.step("The gate for a deployment pipeline")
    answers = ask_gates(decided, models.others[0], caller=cast.requester, folder=target, say=say)
    others, support = _review_others(say, target, cast, admin)
    summary = _summary(ref, story.runs_of(measured), measured, decided, packet)
    summary |= {"in_browser": in_browser, "gate": answers, "other_kinds": others, "support_assistant": support}
    (target / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    files = ("packet.pdf", "support-assistant/choice.html", "support-assistant.pdf", "summary.json")
    results = tuple(target / name for name in files)
    return lambda quarterly: _farewell(say, (*results, quarterly), (ref, support["ref"]))


def _review_others(say: Terminal, target: Path, cast: Any, admin: Any) -> tuple[dict[str, str], dict[str, str]]:
    from examples.company import story
    from examples.company.kinds import story as kinds
    from examples.company.kinds.context import open_company
    from examples.company.kinds.support import run_support_case

    say.step("Models of other kinds: images, repositories, a managed model, a pipeline")
    company = open_company(cast, admin, folder=target / "kinds", say=say)
    others = kinds.review_all(company, say)
    say.step("A support assistant: an API, an open model or a specialist, from prompts to the gate")
    case = run_support_case(target / "support-assistant", say)
    say.done(case.headline, str(case.report))
    support = kinds.review_support(company, case, say)
    story.fetch_packet(cast, support["ref"], target / "support-assistant.pdf", say)
    return others, support


def _summary(ref: str, runs: tuple[Any, Any], measured: Any, decided: Any, packet: Any) -> dict[str, Any]:
    run, beside = runs
    metrics = {metric["name"]: metric for metric in run["metrics"]}
    return {
        "ref": ref,
        "ticket": decided["ticket"]["key"],
        "policy_evaluation": measured["policy_evaluation"]["outcome"],
        "latency_p95_ms": _metric_value(metrics["latency_p95_ms"]),
        "accuracy": _metric_value(metrics["accuracy"]),
        "verdict": run["verdict"],
        "candidates": {variant["name"]: variant["status"] for variant in beside["variants"]},
        "decision": decided["decision"]["outcome"],
        "authorization": decided["authorization"]["number"],
        "subject": decided["authorization"]["subject_digest"],
        "packet": {"document": packet["document_digest"], "pdf": packet["pdf_digest"], "pages": packet["pages"]},
    }


def _metric_value(metric: Any) -> dict[str, Any]:
    numbers = {name: float(metric[name]) for name in ("value", "lower", "upper", "confidence")}
    return numbers | {"n": metric["n"], "unit": metric["unit"]}


def _farewell(say: Terminal, results: tuple[Path, ...], refs: tuple[str, str]) -> None:
    from examples.company.users import PASSWORD

    say.console.print("\n[bold]Results[/bold]")
    say.console.print("\n".join(f"   {path}" for path in results))
    pages = "\n".join(f"   http://127.0.0.1:8000/requests/{ref}/" for ref in refs)
    say.console.print(
        f"\nOpen the same data with [bold]make run[/bold], then\n{pages}\n"
        "Log in as requester, reviewer1, reviewer2, lead, product, finance, admin, admin2 or auditor; the password "
        f"is {PASSWORD}"
    )


def start_jira(stack: Any, var: Path, *, port: int = 0) -> str:
    """Start a stand-in for Jira Cloud, on any free port if `port` is 0. Returns its address."""
    port_file = var / "demo" / "jira-url"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, *["-m", "tests.standins.jira_cloud", "--port", str(port), "--index-lag-s", "1"]]
    stack.start("jira", [*command, "--port-file", str(port_file), "--token", STANDIN_TOKEN])
    for _ in range(200):
        if port_file.exists() and port_file.read_text().strip():
            return port_file.read_text().strip()
        time.sleep(0.05)
    raise SystemExit(f"The Jira stand-in did not start; see {var / 'logs' / 'jira.log'}.")


def connect_jira(url: str, folder: Path) -> None:
    """Set up the stand-in as a ticket site, in the place of one of an earlier demo."""
    from django.core.management import CommandError, call_command

    _remove_earlier_standins()
    token = folder / "jira-token"
    token.write_text(STANDIN_TOKEN, encoding="utf-8")
    options = {"token_file": token, "account": "bot@example.com", "project": "MR", "status": ["in_review=In Review"]}
    try:
        with Path(os.devnull).open("w") as nowhere:
            call_command("add_ticket_site", url, name="Jira of the demo", settle_s=3, stdout=nowhere, **options)
    except CommandError as refusal:
        raise SystemExit(f"The demo needs a ticket site of its own, which could not be added: {refusal}") from refusal


def _remove_earlier_standins() -> None:
    """Remove the ticket sites of earlier demos, whose stand-ins have ended: those on this machine, and no other."""
    from django.utils import timezone

    from governance.audit.actions import record as audit
    from reviews.ticket_sync.actions.sites import remove_site
    from reviews.tickets.domain.addresses import LOOPBACK
    from reviews.tickets.queries.sites import shown_sites

    with audit.origin("command"):
        for site in shown_sites():
            if urlsplit(site.base_url).hostname in LOOPBACK:
                remove_site(site=site, cancels_waiting=True, by=None, now=timezone.now())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"A command failed: {error}")
