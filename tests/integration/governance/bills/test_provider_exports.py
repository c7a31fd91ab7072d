"""Exports of providers, from the file to the lines: counted like a bill, replaced by month, refused without trace."""

import json

import pytest

from governance.bills.enums import BillKind
from governance.bills.models import Bill, SpendLine
from weighbridge.core.errors import Invalid

pytestmark = pytest.mark.django_db


def usage(now, tokens):
    start = int(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp())
    record = {"start_time": start, "model": "gpt-5-mini-2025-08-07", "input_tokens": tokens, "output_tokens": 5}
    amount = {"value": 0.25, "currency": "usd"}
    cost = {"start_time": start, "line_item": "gpt-5-mini-2025-08-07, output", "amount": amount}
    return "\n".join(json.dumps(each) for each in (record, cost)).encode()


def test_an_export_counts_like_a_bill_and_a_later_one_replaces_it(read, now):
    bill = read(usage(now, 100), "usage.jsonl", kind=BillKind.OPENAI, cluster="org-1")
    assert (bill.state, bill.report["format"], bill.report["rows_kept"]) == ("done", "openai", 3)
    found = {(line.direction, line.tokens, line.effective) for line in SpendLine.objects.all()}
    assert {(each[0], int(each[1]), str(each[2].normalize())) for each in found} == {
        ("input", 100, "0"),
        ("output", 5, "0.25"),
    }
    read(usage(now, 700), "usage.jsonl", kind=BillKind.OPENAI, cluster="org-1")
    assert sorted(int(line.tokens) for line in SpendLine.objects.all()) == [5, 700]
    read(usage(now, 1), "usage.jsonl", kind=BillKind.OPENAI, cluster="org-2")
    assert sorted(int(line.tokens) for line in SpendLine.objects.all()) == [1, 5, 5, 700]


@pytest.mark.parametrize(
    ("content", "cluster", "field"), [(b"{}", "", "cluster"), (b"a,b\n1,2\n", "org-1", "file"), (b"x", "org-1", "file")]
)
def test_what_is_no_export_leaves_no_trace(send, content, cluster, field):
    with pytest.raises(Invalid) as caught:
        send(content, "usage.jsonl", kind=BillKind.OPENAI, cluster=cluster)
    assert caught.value.field == field
    assert (Bill.objects.count(), SpendLine.objects.count()) == (0, 0)
