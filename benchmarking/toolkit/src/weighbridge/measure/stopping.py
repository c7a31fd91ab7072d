"""Stopping: how a measurement that is under way is asked to end and to keep what it has."""


class Enough(Exception):  # noqa: N818 -- not an error: somebody asked to stop
    """Raise it from an `on_tick` to end a measurement with what there is; anything else that is raised
    passes through.
    """
