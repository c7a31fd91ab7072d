"""The memory that a language model needs on each accelerator, and the sequences and tokens that it has room for.

    need = weights / t + cache of all sequences, in whole blocks of tokens, + activations
    fits if need <= 0.9 x memory

for t accelerators in tensor parallel. The share of 0.9 is what vLLM takes by default (`gpu_memory_utilization`).
"""

from dataclasses import dataclass
from fractions import Fraction

from weighbridge.subjects.deployment.architecture import LanguageModel

GIB = 2**30
USABLE = Fraction(9, 10)
MOST_TOKENS = 10**15


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How a model is served: accelerators in tensor parallel, bits of a cached value, and tokens of a block.

    `activation_bytes` are what an accelerator needs besides weights and cache; 1 GiB unless it was measured.
    """

    tensor_parallel: int = 1
    cache_bits: int = 16
    block_tokens: int = 16
    activation_bytes: int = GIB

    def whole_blocks(self, tokens: int) -> int:
        """Return the tokens of the blocks that hold these tokens."""
        return -(-tokens // self.block_tokens) * self.block_tokens


def cache_bytes(model: LanguageModel, tokens: int, serving: Serving) -> int:
    """Return the bytes of the cache of one sequence of `tokens` on each accelerator; windows keep their last tokens."""
    return sum(
        group.bytes_per_token(serving.cache_bits, tensor_parallel=serving.tensor_parallel)
        * (tokens if group.window is None else min(tokens, serving.whole_blocks(group.window)))
        for group in model.groups
    )


def fixed_bytes(model: LanguageModel, serving: Serving) -> int:
    """Return the bytes of weights and activations on each accelerator."""
    return -(-model.weights.size_bytes // serving.tensor_parallel) + serving.activation_bytes


def need_bytes(model: LanguageModel, serving: Serving, *, sequences: int, context: int) -> int:
    """Return the bytes that each accelerator needs for `sequences` at once, each of `context` tokens."""
    blocks = serving.whole_blocks(context)
    return fixed_bytes(model, serving) + sequences * cache_bytes(model, blocks, serving)


def fits(need: int, memory_bytes: int) -> bool:
    """Return whether a need is at most 90 % of the memory."""
    return need <= USABLE * memory_bytes


def most_sequences(model: LanguageModel, serving: Serving, *, memory_bytes: int, context: int) -> int:
    """Return how many sequences of `context` tokens the memory has room for at once."""
    return _room(model, serving, memory_bytes) // cache_bytes(model, serving.whole_blocks(context), serving)


def most_tokens(model: LanguageModel, serving: Serving, *, memory_bytes: int) -> int | None:
    """Return the tokens that the cache has room for; None if only windows limit them.

    They belong to any number of sequences, and with windows to one sequence, which keeps them once.
    """
    room = _room(model, serving, memory_bytes)
    if cache_bytes(model, MOST_TOKENS, serving) <= room:
        return None
    low, high = 0, MOST_TOKENS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cache_bytes(model, middle, serving) <= room else (low, middle)
    return low


def _room(model: LanguageModel, serving: Serving, memory_bytes: int) -> int:
    """Return the bytes that are left for caches."""
    return max(int(USABLE * memory_bytes) - fixed_bytes(model, serving), 0)
