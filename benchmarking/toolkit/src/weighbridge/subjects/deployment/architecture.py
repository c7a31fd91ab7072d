"""The architecture of a language model, as far as its memory depends on it."""

from dataclasses import dataclass

from weighbridge.core.errors import Invalid

MOST_LAYERS = 1_000
LARGEST_WIDTH = 10_000_000
LARGEST_BYTES = 2**60


@dataclass(frozen=True)
class LayerGroup:
    """Layers whose caches have one form: `heads` keys of `key_width` and values of `value_width` for each token.

    With a window, only the last `window` tokens are kept. A latent cache (MLA) has one compressed entry for all heads,
    so that it cannot be divided among accelerators.
    """

    layers: int
    heads: int
    key_width: int
    value_width: int
    window: int | None = None
    is_latent: bool = False

    def bytes_per_token(self, cache_bits: int, *, tensor_parallel: int = 1) -> int:
        """Return the bytes that one token takes on each accelerator, values of `cache_bits` bits.

        Heads are divided among `tensor_parallel` accelerators; each has at least one of them.
        """
        heads = self.heads if self.is_latent else -(-self.heads // tensor_parallel)
        return -(-self.layers * heads * (self.key_width + self.value_width) * cache_bits // 8)


@dataclass(frozen=True)
class Parameters:
    """The number of parameters: all, those that one token uses, and those of the embedding of the vocabulary.

    `is_tied` is true if the output layer is the embedding; otherwise it has as many parameters again.
    """

    total: int
    active: int
    embedding: int
    is_tied: bool

    @property
    def read(self) -> int:
        """The parameters that a step reads for one token: of an embedding of its own, only a row is read."""
        return self.active - (0 if self.is_tied else self.embedding)

    @property
    def multiplied(self) -> int:
        """The parameters that a prompt token is multiplied by: the output layer is needed for the last one alone."""
        return self.active - self.embedding * (1 if self.is_tied else 2)


@dataclass(frozen=True)
class ModelWeights:
    """The bytes of the weights, and what states or gives them."""

    size_bytes: int
    source: str


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """A language model by its files: `source` is the file that the architecture was read from.

    `context` is the longest sequence in tokens that it was made for, None if the file does not say. `parameters` is
    None if they cannot be counted. `notes` are what a reader of the figures must know.
    """

    source: str
    family: str
    name: str
    context: int | None
    layers: int
    groups: tuple[LayerGroup, ...]
    parameters: Parameters | None
    weights: ModelWeights
    license: str = ""
    chat_template: str = ""
    notes: tuple[str, ...] = ()

    def bytes_per_token(self, cache_bits: int) -> int:
        """Return the bytes of each further token in the cache: those of the layers without a window."""
        return sum(group.bytes_per_token(cache_bits) for group in self.groups if group.window is None)

    def bytes_of_windows(self, cache_bits: int) -> int:
        """Return the bytes of the layers with a window for a sequence that fills it."""
        windowed = ((group, group.window) for group in self.groups if group.window is not None)
        return sum(group.bytes_per_token(cache_bits) * window for group, window in windowed)


def check_layers(layers: int, *, field: str) -> None:
    """Raise Invalid for more layers than any known model has."""
    if layers > MOST_LAYERS:
        raise Invalid(f"The model states {layers:,} layers; at most {MOST_LAYERS:,} are read.", field=field)


def grouped(layers: list[LayerGroup]) -> tuple[LayerGroup, ...]:
    """Return the groups of single layers, those of one form together, in order of their first layer."""
    counts: dict[LayerGroup, int] = {}
    for layer in layers:
        counts[layer] = counts.get(layer, 0) + 1
    return tuple(
        LayerGroup(count, form.heads, form.key_width, form.value_width, form.window, form.is_latent)
        for form, count in counts.items()
    )
