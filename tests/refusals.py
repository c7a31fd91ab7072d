"""What a test expects of a refusal: its stable code, where its sentence is not the point."""

from collections.abc import Callable

from weighbridge.core.errors import Refused


def has_code(code: str) -> Callable[[Refused], bool]:
    """Return a check for `pytest.raises(…, check=…)`: the refusal has this code."""
    return lambda refusal: refusal.code == code
