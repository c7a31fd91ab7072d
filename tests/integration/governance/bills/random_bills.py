"""Bills of any lines, for property tests: credits, two currencies, and values that look like formulas or patterns."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st

from governance.bills.domain.aggregation import aggregate
from governance.bills.domain.file_kind import FileKind
from governance.bills.domain.reading import open_source
from governance.bills.models import Bill, BillSlice, SpendLine
from tests.factories.bills import csv_bytes, row, written
from tests.factories.people import make_team

ODD = '{"t":"a,b\\n\\"c\\"","=1+1":"@x","Größe":"💶"}'
COSTS = st.decimals("-1000", "1000", places=4)
LINE = st.fixed_dictionaries(
    {
        "ServiceName": st.sampled_from(["a", "b", ""]),
        "SkuId": st.sampled_from(["s", "s*", "=1", "x/y"]),
        "SubAccountId": st.sampled_from(["shared-1", "lab"]),
        "Tags": st.sampled_from(["", '{"model":"visual-search"}', '{"model":"x","t":"%"}', '{"t":"%"}', ODD]),
        "BillingCurrency": st.sampled_from(["USD", "USD", "EUR"]),
        "EffectiveCost": COSTS.map(str),
    }
)


def made_lines(changes, now):
    """The lines of a bill with these rows, without a rule."""
    make_team(now=now)
    bill = Bill.objects.create(
        kind="focus", origin="api", name="b", digest="d", stored_as="s", created_at=now, next_attempt_at=now
    )
    with TemporaryDirectory() as folder:
        content = csv_bytes(row(**each) for each in changes)
        gathered = aggregate(open_source(written(Path(folder), content), kind=FileKind.CSV))
    SpendLine.open_partitions([date(2026, 9, 1)])
    slices = [
        BillSlice.objects.create(**{**vars(each), "totals": []}, bill=bill, read_at=now) for each in gathered.slices
    ]
    SpendLine.copy_in(gathered.numbered([each.pk for each in slices]))
    return SpendLine.objects.filter(slice__bill=bill)
