"""Retirements: the days on which vendors stop serving managed models, in a document of their own.

```yaml
apiVersion: weighbridge/v1
kind: Retirements
source: the vendor's page
as_of: 2026-11-01
retirements:
  - {sku: openai/gpt-4o-mini, retires_on: 2027-01-14, successor: gpt-6-luna}
```
"""

from weighbridge.core.documents import API_VERSION, Reader, check_unique
from weighbridge.costs.prices.files.sheet import date_at
from weighbridge.costs.prices.price import Retirement


def read_retirements(document: object) -> dict[str, Retirement]:
    """Read retirements by SKU; raise Invalid with the path of the invalid key."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", "Retirements")
    source, as_of = reader.text("source"), date_at(reader, "as_of")
    rows = reader.items("retirements", lambda row: _retirement(row, f"{source}, {as_of}"))
    reader.text("license", "")
    reader.close()
    check_unique(tuple(sku for sku, _ in rows), path="retirements", name="sku")
    return dict(rows)


def _retirement(row: Reader, source: str) -> tuple[str, Retirement]:
    return row.text("sku"), Retirement(date_at(row, "retires_on"), source, row.text("successor", ""))
