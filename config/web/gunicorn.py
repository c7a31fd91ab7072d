"""The settings of gunicorn: `gunicorn --config python:config.web.gunicorn config.wsgi`."""

import gc
from typing import Any

workers = 2
threads = 16
timeout = 120

RESERVED_THREADS = 2
"""Threads of each process that serve no pages, so that `/livez` answers while pages hang."""


def post_worker_init(_worker: Any) -> None:
    """Take what is loaded out of garbage collection, which would stop every thread for a tenth of a second."""
    gc.collect()
    gc.freeze()
