"""A Celery worker of a trial: the real application on queues of its own, with a tracker that gives up soon.

Forked from the trial, or an interpreter of its own that an operator's command starts:

    WEIGHBRIDGE_TRIAL='{…}' python -m celery -A tests.promises.harness_worker worker …
"""

import gc
import importlib
import json
import os
from pathlib import Path
from typing import Any

import django

django.setup()

from celery import signals  # noqa: E402 -- Django is set up first
from django.conf import settings  # noqa: E402 -- Django is set up first

from config.celery import app  # noqa: E402 -- Django is set up first
from tests.promises import harness_faults, harness_places  # noqa: E402 -- Django is set up first

VARIABLE = "WEIGHBRIDGE_TRIAL"
LATE = (
    *("celery.apps.worker", "celery.concurrency.solo", "celery.worker.autoscale", "celery.worker.components"),
    *("celery.worker.consumer", "celery.worker.strategy", "celery.worker.consumer.delayed_delivery", "celery.events"),
    *("celery.app.amqp", "celery.app.trace", "celery.app.control", "celery.app.events", "celery.app.log"),
    *("kombu.asynchronous.hub", "kombu.pidbox"),
)
TRANSPORTS = {"filesystem": "filesystem", "redis": "redis", "rabbitmq": "pyamqp"}
PATIENCE = {"read_timeout_s": 1.0, "connect_timeout_s": 0.5}


def configure(*, name: str, broker: str) -> None:
    """Give this process the queues of the trial `name`, and let it end with its parent."""
    app.conf.task_default_queue = f"{name}.effects"
    app.conf.task_routes = {"benchmarking.runs.tasks.execute_run": {"queue": f"{name}.bench"}}
    options = dict(settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    if broker == "redis":
        app.conf.broker_transport_options = {**options, "global_keyprefix": f"{name}:"}
    app.loader.import_default_modules()
    signals.worker_process_init.connect(harness_places.die_with_parent, weak=False)
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"TICKETS": PATIENCE}


def preload(*, broker: str) -> None:
    """Do here once what each worker would do anew after the fork, for half a second of processor time."""
    for module in (*LATE, f"kombu.transport.{TRANSPORTS[broker]}"):
        importlib.import_module(module)
    app.finalize()
    assert app.backend  # found among the entry points of all that is installed
    gc.freeze()  # or every child would go through all of it


def work(*, name: str, queue: str) -> None:
    """Be a worker with the pool of the settings, until the process is stopped."""
    app.Worker(
        queues=[f"{name}.{queue}"],
        hostname=f"{queue}-{os.getpid()}@trial",
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    ).start()


def command(python: str, *, name: str) -> list[str]:
    """How an operator starts a worker for effects."""
    worker = [python, "-m", "celery", "-A", "tests.promises.harness_worker", "worker", "-Q", f"{name}.effects"]
    return [
        *worker,
        "-n",
        "fresh@trial",
        "--loglevel",
        "INFO",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]


def _begin(*, name: str, broker: str, point: str, note: str) -> None:
    configure(name=name, broker=broker)
    if point:
        harness_faults.arm(role="fresh", point=point, nth=1, note=Path(note))


_named: dict[str, Any] = json.loads(os.environ.get(VARIABLE, "{}"))
if _named:
    _begin(**_named)
