"""Back-tests of so many requests that no page waits for them."""

from django.utils import timezone

from governance.jobs import outbox
from governance.jobs.models import OutboxMessage
from reviews.evidence.queries.backtests import backtest, stored


@outbox.handles(stored.KIND)
def compute_backtest(message: OutboxMessage) -> None:
    """Compute a back-test and store its result; its page shows how many requests were read."""
    given = {name: message.payload[name] for name in ("name", "number", "against", "quarters")}
    asked = backtest.question(**given, now=message.created_at)
    total = stored.requests_of(asked)

    def show(read: int) -> None:
        outbox.remember(message=message, now=timezone.now(), read=read, total=total)

    show(0)
    stored.keep(backtest.run(asked, on_read=show), key=message.key)
