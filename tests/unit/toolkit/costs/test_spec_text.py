import io

import pytest

from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.costs.prices.files.exact_yaml import LARGEST_BYTES
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.spec.spec_text import read_spec_text, template_text, text_of


def test_numbers_and_days_become_what_a_database_keeps():
    text = "load: {requests_per_year: 0.10}\nas_of: 2026-09-01\noptions: [{id: a, slots: 4}]"
    assert read_spec_text(text) == {
        "load": {"requests_per_year": 0.1},
        "as_of": "2026-09-01",
        "options": [{"id": "a", "slots": 4}],
    }


def test_the_shipped_template_is_a_spec():
    spec = read_spec(read_spec_text(template_text()), shipped_book())
    assert [option.id for option in spec.options] == ["api", "own"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("- a", "must be a mapping"), ("a: [", "not valid YAML"), ("a: &x 1\nb: *x", "references"), ("", "a mapping")],
)
def test_what_is_no_spec_is_refused(text, reason):
    with pytest.raises(Invalid, match=reason) as refused:
        read_spec_text(text)
    assert refused.value.field == "source"


def test_an_upload_is_text():
    assert text_of(io.BytesIO("name: ä".encode())) == "name: ä"
    with pytest.raises(Invalid, match="UTF-8") as refused:
        text_of(io.BytesIO(b"\xff\xfe"))
    assert refused.value.field == "file"
    with pytest.raises(TooLarge, match="at most 4 MB"):
        text_of(io.BytesIO(b"a" * (LARGEST_BYTES + 1)))
