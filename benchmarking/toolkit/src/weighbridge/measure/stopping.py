"""The signal that ends a running measurement and keeps its partial result."""


class StopMeasurement(Exception):  # noqa: N818 -- a control signal, not an error
    """Raise this from `on_tick` to end a measurement with a partial result; other exceptions pass through."""
