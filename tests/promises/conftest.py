"""The tasks of every subject are known to every promise, as they are to a worker and to the tick."""

from tests.integration.conftest import _tasks

__all__ = ["_tasks"]
