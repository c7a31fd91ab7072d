"""Usage: what one request to a managed model has of everything that vendors count, and the prices of it."""

import dataclasses

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Number
from weighbridge.costs.parts.charges import Rate, is_some, meter_of
from weighbridge.costs.prices.components import COMPONENTS, Component
from weighbridge.costs.prices.price import Meter
from weighbridge.costs.spec.usd import (
    UsdPerAudioH,
    UsdPerMessage,
    UsdPerMillionCharacters,
    UsdPerMillionTokens,
    UsdPerPage,
    UsdPerRequest,
    UsdPerSearch,
)
from weighbridge.costs.uncertainty import Amount, check_amounts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Usage:
    """What one request has. Kinds are counted apart: a token read from the cache is not also an input token.

    Reasoning tokens are output tokens unless they are stated as `output_reasoning_tokens`. Cache writes are those of
    the vendor's usual lifetime, or of one hour.
    """

    input_tokens: Amount = 0.0
    output_tokens: Amount = 0.0
    cache_read_tokens: Amount = 0.0
    cache_write_tokens: Amount = 0.0
    cache_write_1h_tokens: Amount = 0.0
    cache_audio_read_tokens: Amount = 0.0
    cache_image_read_tokens: Amount = 0.0
    input_audio_tokens: Amount = 0.0
    input_image_tokens: Amount = 0.0
    input_video_tokens: Amount = 0.0
    output_audio_tokens: Amount = 0.0
    output_image_tokens: Amount = 0.0
    output_video_tokens: Amount = 0.0
    output_reasoning_tokens: Amount = 0.0
    output_citation_tokens: Amount = 0.0
    audio_seconds: Amount = 0.0
    input_audio_seconds: Amount = 0.0
    input_characters: Amount = 0.0
    input_text_messages: Amount = 0.0
    input_document_pages: Amount = 0.0
    input_annotated_document_pages: Amount = 0.0
    web_searches: Amount = 0.0
    storage_searches: Amount = 0.0

    @property
    def counts(self) -> dict[str, Number]:
        """Return the quantities by name."""
        return {each.quantity: getattr(self, each.quantity) for each in COMPONENTS if each.meter is not Meter.WHOLE}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelPrices:
    """Prices of a managed model in US dollars per unit; None if the vendor has no such price.

    A kind without a price is charged as the more general kind: cached tokens as input tokens. `factor` multiplies all
    prices; `batch` are those of the batch interface. `others` are components with a price that this leaves out.
    """

    input_usd: UsdPerMillionTokens | None = None
    output_usd: UsdPerMillionTokens | None = None
    cache_read_usd: UsdPerMillionTokens | None = None
    cache_write_usd: UsdPerMillionTokens | None = None
    cache_write_1h_usd: UsdPerMillionTokens | None = None
    cache_audio_read_usd: UsdPerMillionTokens | None = None
    cache_image_read_usd: UsdPerMillionTokens | None = None
    input_audio_usd: UsdPerMillionTokens | None = None
    input_image_usd: UsdPerMillionTokens | None = None
    input_video_usd: UsdPerMillionTokens | None = None
    output_audio_usd: UsdPerMillionTokens | None = None
    output_image_usd: UsdPerMillionTokens | None = None
    output_video_usd: UsdPerMillionTokens | None = None
    output_reasoning_usd: UsdPerMillionTokens | None = None
    output_citation_usd: UsdPerMillionTokens | None = None
    audio_time_usd: UsdPerAudioH | None = None
    input_audio_time_usd: UsdPerAudioH | None = None
    input_characters_usd: UsdPerMillionCharacters | None = None
    input_messages_usd: UsdPerMessage | None = None
    input_pages_usd: UsdPerPage | None = None
    input_annotated_pages_usd: UsdPerPage | None = None
    web_searches_usd: UsdPerSearch | None = None
    storage_searches_usd: UsdPerSearch | None = None
    request_usd: UsdPerRequest | None = None
    factor: Amount = 1.0
    batch: "ModelPrices | None" = None
    others: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Validate the prices."""
        check_amounts(self)

    @property
    def rates(self) -> dict[Meter, Rate]:
        """Return the prices by meter, before the factor."""
        named = {each.meter: getattr(self, each.price) for each in COMPONENTS}
        return {meter: usd if isinstance(usd, Rate) else Rate(usd) for meter, usd in named.items() if usd is not None}


def check_priced(usage: Usage, prices: ModelPrices | None) -> None:
    """Raise Invalid with the name of a quantity without a price, or whose own price the spec leaves out."""
    rates: dict[Meter, Rate] = {} if prices is None else prices.rates
    others = () if prices is None else prices.others
    for component in (each for each in COMPONENTS if is_some(usage.counts.get(each.quantity, 0))):
        meter_of(rates, component)
        if component.quantity in others:
            raise _without_its_price(component)


def _without_its_price(component: Component) -> Invalid:
    text = (
        f"{component.quantity} has a price of its own in the price book: give {component.price}, or take all prices "
        "of the model: prices: {sku: openai/gpt-4o-mini}."
    )
    return Invalid(text, field=component.quantity, code="no_price")
