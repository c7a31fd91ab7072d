"""Components: everything that vendors of managed models count and charge, as the package genai-prices names it.

Quantities are counted apart: a token read from the cache is not also an input token. A component without a price of its
own is charged as the first of the more general ones that has one: a cached token as an input token.
"""

import dataclasses
from collections.abc import Mapping
from decimal import Decimal

from weighbridge.costs.prices.price import Meter, PriceUnit

# How many of what is counted one unit has: tokens, characters, seconds of audio.
PER_UNIT: Mapping[PriceUnit, int] = {
    PriceUnit.MILLION_TOKENS: 1_000_000,
    PriceUnit.MILLION_CHARACTERS: 1_000_000,
    PriceUnit.AUDIO_H: 3_600,
}


@dataclasses.dataclass(frozen=True)
class Component:
    """One thing that is counted per request as `quantity`, and its price per `unit` under the name of the package.

    `units` is how many units the package's price is for; `general` are the more general meters, the nearest first.
    """

    quantity: str
    meter: Meter
    vendor_price: str
    unit: PriceUnit = PriceUnit.MILLION_TOKENS
    units: int = 1
    general: tuple[Meter, ...] = ()

    @property
    def price(self) -> str:
        """Return the name of its price in a spec."""
        return "request_usd" if self.meter is Meter.WHOLE else f"{self.meter}_usd"

    @property
    def per_unit(self) -> int:
        """Return how many of what is counted one unit has."""
        return PER_UNIT.get(self.unit, 1)

    @property
    def is_input_token(self) -> bool:
        """Whether it counts toward the input tokens of a request, which decide the price tier."""
        return self.unit is PriceUnit.MILLION_TOKENS and Meter.INPUT in (self.meter, *self.general)

    @property
    def is_fee(self) -> bool:
        """Whether it is a fee for a request or a search, rather than for content."""
        return self.unit in (PriceUnit.REQUEST, PriceUnit.SEARCH)

    def unit_usd(self, vendor_usd: Decimal) -> Decimal:
        """Return the price of one unit from the price as the package states it."""
        return vendor_usd / self.units


_THOUSAND = 1_000
COMPONENTS = (
    Component("input_tokens", Meter.INPUT, "input_mtok"),
    Component("output_tokens", Meter.OUTPUT, "output_mtok"),
    Component("cache_read_tokens", Meter.CACHE_READ, "cache_read_mtok", general=(Meter.INPUT,)),
    Component("cache_write_tokens", Meter.CACHE_WRITE, "cache_write_mtok", general=(Meter.INPUT,)),
    Component(
        "cache_write_1h_tokens", Meter.CACHE_WRITE_1H, "cache_write_1h_mtok", general=(Meter.CACHE_WRITE, Meter.INPUT)
    ),
    Component(
        "cache_audio_read_tokens",
        Meter.CACHE_AUDIO_READ,
        "cache_audio_read_mtok",
        general=(Meter.CACHE_READ, Meter.INPUT_AUDIO, Meter.INPUT),
    ),
    Component(
        "cache_image_read_tokens",
        Meter.CACHE_IMAGE_READ,
        "cache_image_read_mtok",
        general=(Meter.CACHE_READ, Meter.INPUT_IMAGE, Meter.INPUT),
    ),
    Component("input_audio_tokens", Meter.INPUT_AUDIO, "input_audio_mtok", general=(Meter.INPUT,)),
    Component("input_image_tokens", Meter.INPUT_IMAGE, "input_image_mtok", general=(Meter.INPUT,)),
    Component("input_video_tokens", Meter.INPUT_VIDEO, "input_video_mtok", general=(Meter.INPUT,)),
    Component("output_audio_tokens", Meter.OUTPUT_AUDIO, "output_audio_mtok", general=(Meter.OUTPUT,)),
    Component("output_image_tokens", Meter.OUTPUT_IMAGE, "output_image_mtok", general=(Meter.OUTPUT,)),
    Component("output_video_tokens", Meter.OUTPUT_VIDEO, "output_video_mtok", general=(Meter.OUTPUT,)),
    Component("output_reasoning_tokens", Meter.OUTPUT_REASONING, "output_reasoning_mtok", general=(Meter.OUTPUT,)),
    Component("output_citation_tokens", Meter.OUTPUT_CITATION, "output_citation_mtok", general=(Meter.OUTPUT,)),
    Component("audio_seconds", Meter.AUDIO_TIME, "audio_hours", PriceUnit.AUDIO_H),
    Component(
        "input_audio_seconds",
        Meter.INPUT_AUDIO_TIME,
        "input_audio_hours",
        PriceUnit.AUDIO_H,
        general=(Meter.AUDIO_TIME,),
    ),
    Component("input_characters", Meter.INPUT_CHARACTERS, "input_mchars", PriceUnit.MILLION_CHARACTERS),
    Component("input_text_messages", Meter.INPUT_MESSAGES, "input_text_messages_kcount", PriceUnit.MESSAGE, _THOUSAND),
    Component("input_document_pages", Meter.INPUT_PAGES, "input_document_kpages", PriceUnit.PAGE, _THOUSAND),
    Component(
        "input_annotated_document_pages",
        Meter.INPUT_ANNOTATED_PAGES,
        "input_annotated_document_kpages",
        PriceUnit.PAGE,
        _THOUSAND,
        (Meter.INPUT_PAGES,),
    ),
    Component("web_searches", Meter.WEB_SEARCHES, "web_searches_kcount", PriceUnit.SEARCH, _THOUSAND),
    Component("storage_searches", Meter.STORAGE_SEARCHES, "storage_searches_kcount", PriceUnit.SEARCH, _THOUSAND),
    Component("requests", Meter.WHOLE, "requests_kcount", PriceUnit.REQUEST, _THOUSAND),
)
