"""Price lists as files, and which importer reads a file."""

import json
from datetime import date
from decimal import Decimal

import pytest

from tests.unit.toolkit.costs.builders import lab_file, models_file
from tests.unit.toolkit.costs.test_importers import ATTRIBUTES, DAY, EUROS, ITEM, vms
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.files.lists import list_document, open_list, read_document, read_list
from weighbridge.costs.prices.importers.reading import read_file
from weighbridge.costs.prices.price import Term


def test_an_imported_list_is_read_back_as_it_was(tmp_path):
    models_file(tmp_path / "models.json")
    found = open_list(tmp_path / "models.json")
    assert [price.usd for price in found.prices] == [Decimal("0.3")]
    assert found.retirements["openai/gpt-4o-mini"].on == date(2027, 1, 1)
    assert read_list(list_document(found)) == found


def test_a_sheet_by_hand_is_a_list_too(tmp_path):
    lab_file(tmp_path / "lab.yaml")
    found = open_list(tmp_path / "lab.yaml")
    assert (found.name, [price.sku for price in found.prices]) == ("our-lab", ["lab/basement/rack-a"])


def test_a_changed_list_is_refused(tmp_path):
    models_file(tmp_path / "models.json")
    document = json.loads((tmp_path / "models.json").read_text())
    with pytest.raises(Invalid, match="was changed after its import") as refused:
        read_list({**document, "source": "another"})
    assert refused.value.field == "digest"


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.json", b"{", "not valid JSON"),
        ("a.yaml", b"\xff\xfe", "it is not text"),
        ("a.yaml", b"[", "not valid YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, content, text):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=text):
        read_document(tmp_path / name)


def test_each_form_has_its_reader(tmp_path):
    (tmp_path / "vms.csv").write_text(vms({}).getvalue())
    (tmp_path / "azure.json").write_text(json.dumps([{**ITEM, "currencyCode": "EUR"}]))
    offers = {"A": {"1": {"priceDimensions": {"1": {"unit": "Hrs", "pricePerUnit": {"USD": "2"}}}}}}
    products = {"A": {"productFamily": "Compute Instance", "attributes": ATTRIBUTES}}
    aws = {"publicationDate": "2026-10-30T00:00:00Z", "products": products, "terms": {"OnDemand": offers}}
    (tmp_path / "aws.json").write_text(json.dumps(aws))
    found = [
        read_file(tmp_path / "vms.csv", form="skypilot", provider="gcp", as_of=DAY),
        read_file(tmp_path / "azure.json", form="azure", as_of=DAY, fx=EUROS),
        read_file(tmp_path / "aws.json", form="aws"),
    ]
    assert [each.name for each in found] == ["skypilot-gcp-2026-11-01", "azure-2026-11-01", "aws-2026-10-30"]
    assert [each.prices[0].usd for each in found] == [Decimal("1.006"), Decimal("4.0403"), Decimal(2)]
    assert found[0].prices[1].term is Term.SPOT


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="it is not UTF-8 text"):
        read_file(tmp_path / "a.json", form="aws")
