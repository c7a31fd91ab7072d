"""The settings of gunicorn: `gunicorn --config python:config.web.gunicorn config.wsgi`."""

workers = 2
threads = 16
timeout = 120
accesslog = "-"

RESERVED_THREADS = 2
"""Threads of each process that serve no pages, so that `/livez` answers while pages hang."""
