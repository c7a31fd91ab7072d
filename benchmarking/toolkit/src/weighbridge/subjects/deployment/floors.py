"""Times that no server of a language model can be below, by the memory bandwidth and the peak of its accelerators.

A step for one sequence reads all weights that the token uses, and its cache; the first token takes a step, too. Each
token of a prompt that is not cached costs two operations for each parameter that it is multiplied by. A measured time
below these is implausible, unless the server guesses tokens ahead (speculative decoding).
"""

from weighbridge.subjects.deployment.architecture import LanguageModel
from weighbridge.subjects.deployment.cards import AcceleratorCard
from weighbridge.subjects.deployment.memory import Serving, cache_bytes

BITS_OF_PEAK = 16


def tpot_floor_ms(model: LanguageModel, card: AcceleratorCard, serving: Serving, *, context: int) -> float:
    """Return the least time per output token in milliseconds, for one sequence of `context` tokens.

    Without parameters, all weights count as read.
    """
    counted = model.parameters
    share = counted.read / counted.total if counted is not None else 1.0
    weights = model.weights.size_bytes * share / serving.tensor_parallel
    return (weights + cache_bytes(model, context, serving)) / card.bytes_per_s * 1e3


def ttft_floor_ms(model: LanguageModel, card: AcceleratorCard, serving: Serving, *, tokens: int) -> float:
    """Return the least time to the first token in milliseconds, for a prompt of `tokens` that are not cached.

    It is the longer of the operations at the peak and of one reading of the weights. Narrower weights are taken to be
    multiplied faster by as much, as the matrix units of current cards do; without parameters, the reading alone counts.
    """
    counted, reading = model.parameters, tpot_floor_ms(model, card, serving, context=0)
    if counted is None:
        return reading
    bits = model.weights.size_bytes * 8 / counted.total
    flops = card.flops * max(BITS_OF_PEAK / bits, 1.0) * serving.tensor_parallel
    return max(reading, 2 * counted.multiplied * tokens / flops * 1e3)
