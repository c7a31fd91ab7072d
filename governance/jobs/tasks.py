"""Tasks for workers and the tick."""

from datetime import datetime
from typing import Any

from celery import shared_task, signals
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.jobs import outbox, signs_of_life, ticks, worker_signals
from governance.jobs.kinds import KINDS
from governance.jobs.queries import queues_to_ask

SHOW_LIFE = "governance.jobs.tasks.show_life"


@shared_task
def deliver(message_id: int) -> None:
    """Deliver the outbox message whose turn it is. `message_id` is the one that woke this worker."""
    with audit.origin("job"):
        outbox.deliver_next(now=timezone.now())


@shared_task
def show_life() -> None:
    """Show that a worker takes messages from this queue; `show_sign` does it for every task."""


@signals.task_prerun.connect
def show_sign(**_: Any) -> None:
    """Show a sign of life, because this worker has taken a message."""
    signs_of_life.show(now=timezone.now())


@signals.worker_ready.connect
def begin_work(sender: Any, **_: Any) -> None:
    """Show the first sign of life, and look for due rows: notifications that died with an earlier worker are lost."""
    signs_of_life.SIGNS.take_from(sender.app.amqp.queues.consume_from)
    now, conf = timezone.now(), sender.app.conf
    signs_of_life.show(now=now)
    for kind in KINDS.values():
        for task, among in kind.queues.items():
            if conf.task_routes.get(task, {}).get("queue", conf.task_default_queue) in signs_of_life.SIGNS.queues:
                worker_signals.announce(kind.model, task, now=now, among=among)


@signals.worker_shutdown.connect
def end_work(**_: Any) -> None:
    """Nobody waits for signs of life of a worker that was stopped."""
    signs_of_life.forget()


@ticks.on_tick(due=lambda now: [queues_to_ask(now=now)], at_any_clock=True)
def ask_for_signs(now: datetime) -> None:
    """Ask the workers of idle queues for a sign of life."""
    for queue in queues_to_ask(now=now):
        worker_signals.ask(SHOW_LIFE, queue, now=now)
