import csv
import io
from datetime import date
from decimal import Decimal

from governance.bills.domain.header import map_header
from governance.bills.domain.variance.focus_rows import COLUMNS, PlannedMonth, focus_rows
from tests.spreadsheets import csv_of

MONTH = PlannedMonth(
    month=date(2026, 9, 1),
    month_end=date(2026, 10, 1),
    authorization="AUT-1",
    request="MRR-2026-0001",
    team="search",
    model="search/visual-search",
    low=Decimal(80),
    median=Decimal(100),
    high=Decimal(150),
    measured=None,
)


def test_rows_are_read_by_their_columns():
    (row,) = focus_rows([MONTH])
    told = dict(zip(COLUMNS, row, strict=True))
    assert (told["EffectiveCost"], told["x_ProjectedP90"], told["x_MeasuredCost"]) == (Decimal(100), Decimal(150), None)
    assert (told["BillingPeriodStart"], told["BillingPeriodEnd"]) == ("2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z")
    assert (told["x_Basis"], told["x_Request"], told["Tags"]) == (
        "projected",
        "MRR-2026-0001",
        '{"model":"search/visual-search"}',
    )


def test_columns_of_ours_are_marked_and_the_rest_are_of_focus():
    file = csv_of(COLUMNS, focus_rows([MONTH])).decode("utf-8-sig")
    (told,) = csv.DictReader(io.StringIO(file))
    found = map_header([*COLUMNS, "BillingAccountId"])
    assert set(found.extra) == {name for name in COLUMNS if name.startswith("x_")}
    assert told["EffectiveCost"] == "100"
