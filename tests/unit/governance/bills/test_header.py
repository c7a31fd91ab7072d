import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.bills.domain.columns import COLUMNS
from governance.bills.domain.header import map_header
from tests.factories.bills import ROW
from weighbridge.core.errors import Invalid

NAMES = list(ROW)


def test_a_header_is_mapped_and_its_version_found():
    found = map_header([*NAMES, "Id"])
    assert (found.version, found.extra, found.missing) == ("1.1", ("Id",), ())
    assert found.columns["BilledCost"] == "BilledCost"
    assert found.columns["RegionId"] == "RegionId"


@pytest.mark.parametrize(
    ("more", "version"),
    [(["InvoiceId"], "1.2"), (["HostProviderName"], "1.3"), (["InvoiceDetailId", "InvoiceId"], "1.4"), ([], "1.1")],
)
def test_the_newest_column_tells_the_version(more, version):
    assert map_header([*NAMES, *more]).version == version


def test_without_any_newer_column_it_is_the_first():
    assert map_header([name for name in NAMES if name != "SkuPriceDetails"]).version == "1.0"


def test_a_later_version_names_the_provider_otherwise():
    names = ["ServiceProviderName" if name == "ProviderName" else name for name in NAMES]
    found = map_header(names)
    assert (found.columns["ProviderName"], found.version, found.missing) == ("ServiceProviderName", "1.3", ())


@given(st.data())
def test_spelling_and_order_mean_nothing(data):
    spell = st.sampled_from(
        [str, str.lower, str.upper, lambda name: name.replace("Id", "_id"), lambda name: f" {name} "]
    )
    names = [data.draw(spell)(name) for name in data.draw(st.permutations(NAMES))]
    assert {name.strip().replace("_id", "Id").lower() for name in map_header(names).columns.values()} == {
        column.name.lower() for column in COLUMNS if column.name in ROW
    }


def test_what_focus_asks_for_and_nothing_here_needs_is_only_told():
    assert map_header([name for name in NAMES if name != "PublisherName"]).missing == ("PublisherName",)


def test_a_needed_column_that_is_missing_is_named_with_what_is_there():
    with pytest.raises(
        Invalid, match=r"missing: BillingCurrency, EffectiveCost. Its columns are ProviderName, .*, …"
    ) as caught:
        map_header([name for name in NAMES if name not in {"EffectiveCost", "BillingCurrency"}])
    assert (caught.value.field, caught.value.code) == ("file", "columns")


def test_a_column_that_stands_twice_is_refused():
    with pytest.raises(Invalid, match="the column 'billed_cost' twice"):
        map_header([*NAMES, "billed_cost"])


def test_a_short_header_is_shown_whole():
    with pytest.raises(Invalid, match=r"Its columns are a, b\."):
        map_header(["a", "b"])
