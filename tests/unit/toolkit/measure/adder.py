"""A system under test of somebody else's: adds up what it is given."""

import numpy as np

from weighbridge.measure.inputs.spec import InputSpec
from weighbridge.systems.registry import Sizes, register


@register("adder")
class Adder:
    is_here = True

    def __init__(self, options, settings):
        self.model = {"digest": None, "size": int(options["size"])}

    def ready(self):
        return None

    def sizes(self, shapes):
        return Sizes()

    def load(self):
        return LoadedAdder(self.model["size"])


class LoadedAdder:
    def __init__(self, size):
        self.inputs = (InputSpec("x", "float32", (None, size)),)
        self.outputs = ("sum",)

    def infer(self, feed):
        return [np.sum(feed["x"], axis=1, keepdims=True)]

    def describe(self):
        return {"engine": "adder"}
