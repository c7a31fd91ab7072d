"""Pages of benchmark runs: progress while a run lasts, and its result."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from benchmarking.runs.actions import runs as writes
from benchmarking.runs.queries import runs
from benchmarking.runs.queries.datasets import reason_declared
from benchmarking.runs.rules import check_run
from benchmarking.runs.web.equivalence import equivalence_of
from benchmarking.runs.web.result import conditions_of, confusion_of, distribution_of, groups_of, stride_of
from governance.audit.queries import trail
from governance.inventory import queries as inventory
from governance.jobs import actions as jobs
from governance.people.web.current_user import person_of, user_of, wants_fragment
from governance.site.web.refusals import attempt, refusal_of
from weighbridge.core.errors import NotFound


@require_safe
def detail(request: HttpRequest, run_id: int) -> HttpResponse:
    """`/runs/<id>/`: the run, its verdict, metric values and conditions."""
    run = runs.find(run_id=run_id, person=person_of(request))
    view = runs.describe(run)
    result = run.result or {}
    asset = run.model_version.asset
    doubt = reason_declared(run.dataset, team=asset.team.slug)
    context = {
        "run": run,
        "view": view,
        "asset": asset,
        "groups": groups_of(view, doubt=doubt),
        "doubt": doubt,
        "distribution": distribution_of(view, result=result),
        "stride": stride_of(result),
        "confusion": confusion_of(result),
        "conditions": conditions_of(view.manifest),
        "equivalence": equivalence_of(view),
        "events": trail.of_subject("run", subject=run.key),
        "crumbs": (
            ("Models", reverse("governance:models")),
            (asset.name, reverse("governance:model", args=[asset.team.slug, asset.slug])),
            (f"Run {run.pk}", ""),
        ),
        "cannot_run": refusal_of(lambda: check_run(person_of(request), team=asset.team.slug)),
    }
    return render(request, "benchmarking/runs/run.html", context)


@require_safe
def live(request: HttpRequest, run_id: int) -> HttpResponse:
    """Render the progress fragment of a run; after the run has ended, the browser reloads the whole page."""
    run = runs.find(run_id=run_id, person=person_of(request))
    view = runs.describe(run)
    response = render(request, "benchmarking/runs/_fragments/live.html", {"run": run, "view": view})
    if view.is_finished:
        response["HX-Refresh"] = "true"
    return response


@require_safe
def result(request: HttpRequest, run_id: int) -> HttpResponse:
    """Download the result document as the toolkit wrote it."""
    run = runs.find(run_id=run_id, person=person_of(request))
    if run.result is None:
        raise NotFound(f"Run {run.pk} has no result; it is {run.state}.")
    response = JsonResponse(run.result, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="run-{run.pk}.json"'
    return response


@require_POST
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    """Cancel a run."""
    run = runs.find(run_id=run_id, person=person_of(request))

    def act() -> str:
        jobs.cancel(row=run, by=user_of(request), now=timezone.now())
        return f"Run {run.pk} is canceled."

    attempt(request, act)
    return redirect("benchmarking:run", run.pk)


@require_POST
def repeat(request: HttpRequest, run_id: int) -> HttpResponse:
    """Queue the same benchmark again and redirect to the new run."""
    run = runs.find(run_id=run_id, person=person_of(request))
    shown = run

    def act() -> str:
        nonlocal shown
        shown = writes.repeat(run=run, by=user_of(request), now=timezone.now())
        return f"Run {shown.pk} is queued. Run {run.pk} does not change."

    attempt(request, act)
    return redirect("benchmarking:run", shown.pk)


@require_safe
def of_model(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """List the runs of a model: a fragment of the model's page, or a full page without JavaScript."""
    asset = inventory.find(team=team, slug=slug, person=person_of(request))
    context = {
        "asset": asset,
        "runs": runs.of_model(asset=asset, person=person_of(request)),
        "crumbs": (
            ("Models", reverse("governance:models")),
            (asset.name, reverse("governance:model", args=[team, slug])),
            ("Runs", ""),
        ),
    }
    is_fragment = wants_fragment(request)
    template = "benchmarking/runs/_fragments/runs.html" if is_fragment else "benchmarking/runs/model_runs.html"
    return render(request, template, context)
