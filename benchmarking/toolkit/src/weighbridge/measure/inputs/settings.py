"""What a person states about the inputs of a model: sizes, constant values and states."""

import dataclasses
from collections.abc import Mapping

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.spec import Dimensions


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputSettings:
    """The stated sizes of free dimensions, values of inputs, and states.

    `dims` has sizes by name or `input[axis]`, 0 for the number of rows. `values` has texts by input: a number or text
    for all queries, or `LOW:HIGH` for whole numbers drawn from LOW to below HIGH. `state` has outputs by input: the
    output of one call is the input of the next; the first is zeros.
    """

    dims: Mapping[str, int] = dataclasses.field(default_factory=dict)
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    state: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise Invalid for negative sizes, and for inputs that are stated twice."""
        if any(size < 0 for size in self.dims.values()):
            raise Invalid("The size of a dimension must be positive.", field="dim")
        both = ", ".join(sorted(self.values.keys() & self.state.keys()))
        if both:
            raise Invalid(f"{both} cannot be a state and have a value of its own.", field="input")

    @property
    def dimensions(self) -> Dimensions:
        """The stated sizes."""
        return Dimensions(self.dims)


AS_DECLARED = InputSettings()
