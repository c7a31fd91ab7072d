"""Pages of the fleet: workers on other machines and the queues of the server, and the form to register a worker."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from benchmarking.runs.actions import workers as writes
from benchmarking.runs.actions.workers import KEY_CHARS_MAX, MACHINE_CHARS_MAX, NewWorker
from benchmarking.runs.models import Worker
from benchmarking.runs.queries import workers as reads
from benchmarking.runs.rules import check_register_worker
from governance.audit.queries import trail
from governance.people.approvals.queries import proposed_text
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import ReasonForm
from governance.rulebook.domain.benchmark_plans import HardwareClass
from governance.site.web.refusals import refusal_of, settled, show_in
from weighbridge.core.errors import Refused


class WorkerForm(ReasonForm):
    """A worker to propose."""

    name = forms.SlugField(max_length=60, help_text="Letters, digits, hyphens and underscores.")
    account = forms.CharField(
        max_length=150, help_text="User name of an account without roles, whose token the worker uses."
    )
    queue = forms.ChoiceField(choices=[(each.value, each.value.upper()) for each in HardwareClass])
    machine = forms.CharField(
        max_length=MACHINE_CHARS_MAX, help_text="The hardware in words. It stands beside each result."
    )
    public_key = forms.CharField(
        max_length=KEY_CHARS_MAX,
        help_text="Ed25519 in PEM form: the .pub file of weighbridge result new-key.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    field_order = ["name", "account", "queue", "machine", "public_key", "reason"]


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/workers/`: each worker with its queue, machine, key, last sign of life, and the run in its hand."""
    context = {
        "workers": reads.fleet(now=timezone.now()),
        "queues": reads.own_queues(),
        "proposals": reads.proposed(),
        "may_register": not refusal_of(lambda: check_register_worker(person_of(request))),
    }
    return render(request, "benchmarking/runs/workers.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """`/workers/new/`: propose a worker; redirect to the change, which a second person confirms."""
    check_register_worker(person_of(request))
    form, status = WorkerForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            given = dict(form.cleaned_data)
            reason = given.pop("reason")
            try:
                change = writes.propose(
                    entry=NewWorker(**given), reason=reason, by=user_of(request), now=timezone.now()
                )
            except Refused as refusal:
                show_in(form, refusal)
                status = refusal.status
            else:
                messages.success(request, proposed_text(change))
                return redirect("governance:change", change.pk)
    crumbs = (("Workers", reverse("benchmarking:workers")), ("Register", ""))
    return render(request, "benchmarking/runs/worker_new.html", {"form": form, "crumbs": crumbs}, status=status)


@require_safe
def detail(request: HttpRequest, worker_id: int) -> HttpResponse:
    """`/workers/7/`: one worker with its key and history."""
    return _page(request, reads.find(worker_id=worker_id))


@require_POST
def retire(request: HttpRequest, worker_id: int) -> HttpResponse:
    """Retire a worker."""
    check_register_worker(person_of(request))
    worker, form = reads.find(worker_id=worker_id), ReasonForm(request.POST)

    def act() -> str:
        writes.retire(worker=worker, **form.cleaned_data, by=user_of(request), now=timezone.now())
        return f"{worker} is retired. Its calls are refused from now on; its results stay on record."

    is_done, status = settled(request, form, act)
    return redirect("benchmarking:worker", worker_id) if is_done else _page(request, worker, form=form, status=status)


def _page(request: HttpRequest, row: Worker, *, form: ReasonForm | None = None, status: int = 200) -> HttpResponse:
    context = {
        "worker": reads.describe(row, now=timezone.now()),
        "public_key": row.public_key,
        "form": form or ReasonForm(),
        "cannot_retire": refusal_of(lambda: check_register_worker(person_of(request))),
        "events": trail.of_subject("worker", subject=row.name),
        "crumbs": (("Workers", reverse("benchmarking:workers")), (row.name, "")),
    }
    return render(request, "benchmarking/runs/worker.html", context, status=status)
