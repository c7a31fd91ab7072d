"""Requests in a table: one row a request, one column a field, and whatever is no such table is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.client.bulk import sheet
from weighbridge.client.bulk.sheet import read_sheet
from weighbridge.core.errors import Invalid

TABLE = """title,purpose,environment,business_case,team,slug,name,version,tier,task,owner,file,rivals,\
dataset_name,dataset_file,training_gpu_hours,training_gpu_hours_basis,training_gpu_hours_source,ndcg@10
Search,Find products,prod,"Raises conversion,
by 1.5 %.",search,visual,Visual,1.0,T1,ranking,ada,model.onnx,sha256:a sha256:b,held out,test.npz,320,estimated,log,

 Rank ,Rank,dev,Because,search,rank,Rank,2,T2,ranking,ada,m.onnx,,,,,,,0.5
"""


def write(tmp_path, text):
    path = tmp_path / "requests.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_each_row_is_the_document_of_a_request(tmp_path):
    (first, one), (second, other) = read_sheet(write(tmp_path, "\ufeff" + TABLE))
    assert (first, second) == (3, 5)
    assert one == {
        "title": "Search",
        "purpose": "Find products",
        "environment": "prod",
        "business_case": "Raises conversion,\nby 1.5 %.",
        "model": {
            "team": "search",
            "slug": "visual",
            "name": "Visual",
            "version": "1.0",
            "tier": "T1",
            "task": "ranking",
            "owner": "ada",
            "file": "model.onnx",
        },
        "metric_values": [{"name": "training_gpu_hours", "value": "320", "basis": "estimated", "source": "log"}],
        "rivals": ["sha256:a", "sha256:b"],
        "dataset": {"name": "held out", "file": "test.npz"},
    }
    assert other["title"] == "Rank"
    assert other["metric_values"] == [{"name": "ndcg@10", "value": "0.5", "basis": "declared"}]
    assert "rivals" not in other
    assert "dataset" not in other


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty; its first line names the columns"),
        ("\n \n", "is empty"),
        ("title,title\na,b", "has the column 'title' twice"),
        ("Titel!\na", "has a column 'Titel!', which is neither a metric nor one of: title, purpose"),
        ("title\na,b", "Line 2 of requests.csv has more cells than columns"),
        ("title,accuracy_basis\na,declared", "has the column 'accuracy_basis' without the column 'accuracy'"),
        ('title\n"a', "is not valid CSV"),
        (b"title\n\xff", "is not UTF-8 text; save the table as CSV in UTF-8"),
        ("title\na\x00", "contains a character that cannot be stored"),
        (",".join(f"m{number}" for number in range(301)), "has more than 300 columns"),
    ],
)
def test_what_is_no_table_of_requests_is_refused(tmp_path, text, reason):
    with pytest.raises(Invalid, match=r"requests\.csv") as refusal:
        list(read_sheet(write(tmp_path, text)))
    assert reason in refusal.value.reason


def test_a_table_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet, "ROWS_MAX", 2)
    with pytest.raises(Invalid, match="more than 2 rows; split it"):
        list(read_sheet(write(tmp_path, "title\na\nb\nc\n")))
    assert len(list(read_sheet(write(tmp_path, "title\na\nb\n")))) == 2


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_invalid(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("sheet") / "requests.csv"
    path.write_bytes(b"title,purpose\n" + content)
    try:
        rows = list(read_sheet(path))
    except Invalid:
        return
    assert all(set(document) <= {"title", "purpose", "model", "metric_values"} for _, document in rows)
