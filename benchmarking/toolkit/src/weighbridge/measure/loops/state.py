"""States: outputs of one call that are inputs of the next, as recurrent and streaming models have them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.loops.latency import Feed, Runner


class NamedRunner(Runner, Protocol):
    """A runner whose outputs have names."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, in the order of `infer`."""


class StateRunner:
    """Carries states from call to call; a failed call keeps the state."""

    def __init__(self, runner: NamedRunner, sources: Mapping[str, str], first: Feed) -> None:
        """Start with the states `first`, by input; `sources` names the output that becomes each input.

        Raises Invalid for an output that the model does not have.
        """
        self._runner, self._state = runner, dict(first)
        names = runner.outputs
        for output in sources.values():
            if output not in names:
                text = f"The model has no output {output!r} to be a state; its outputs are {', '.join(names)}."
                raise Invalid(text, code="model_outputs", field="state")
        self._places = {name: names.index(output) for name, output in sources.items()}

    def infer(self, feed: Feed) -> Sequence[NDArray[Any]]:
        """Run once with the states of the last call."""
        outputs = self._runner.infer({**feed, **self._state})
        self._state = {name: outputs[place] for name, place in self._places.items()}
        return outputs
