"""What the page of promises says of each trial that is no storm: a title, what is counted, and which
figures are shown.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A part of the page; its rows are the figures of these trials, and `columns` of them are shown."""

    trial: str
    title: str
    words: str
    columns: tuple[str, ...]


SECTIONS = (
    Section(
        "adversary",
        "Nobody talks a decision round",
        "Calls by an adversary that holds one person, or two of one team, with lying figures, and what honest people\n"
        "did around it. *Broken* counts what should not have been: a permission that nobody independent gave, a "
        "condition that fell\naway, a vote that did not count any more, money that nobody else granted.",
        ("what", "steps", "broken"),
    ),
    Section(
        "tickets",
        "Exactly one ticket",
        "Requests whose ticket is opened in a Jira that loses answers, answers late or finds new tickets late, by "
        "workers that\n"
        "are killed. *Missing* counts requests without a ticket, *doubled* tickets that exist twice, *astray* those "
        "linked to\n"
        "another request.",
        ("what", "kills", "requests", "tickets", "missing", "doubled", "astray"),
    ),
    Section(
        "polite",
        "Nothing is asked before its time",
        "Jira answers 429 once, in one of four forms, to one of four calls. *Too early* counts requests before the "
        "time it\n"
        "named; whoever sleeps instead of giving the message back fails the trial.",
        ("what", "requests", "tickets", "too_early", "missing", "doubled"),
    ),
    Section(
        "inbound",
        "What comes in from Jira",
        "Random histories of a ticket. Three deliveries in ten are lost, three in ten arrive twice, half are "
        "reordered, some\n"
        "are forged; then one comparison. *Differences* counts histories after which the mirror is not the issue.",
        ("histories", "steps", "deliveries", "forged", "forged_accepted", "differences"),
    ),
    Section(
        "contract",
        "The contract of Jira",
        "Prism stands between application and stand-in and judges every request and answer by Atlassian's description.",
        ("requests", "operations", "departures", "known_quirks"),
    ),
    Section(
        "intake",
        "Damaged models",
        "Sound files of every format, damaged by one to three changes each, then read by the intake; those let in are "
        "run\n"
        "behind the fence. Whatever is raised but a refusal, or ends the host, fails the trial.",
        ("files", "refused", "let_in", "slowest_s", "peak_mb", "executed", "answered"),
    ),
    Section(
        "sandbox",
        "A hostile model behind the fence",
        "Every attack behind each layer alone and behind all together. *Promised* counts those a layer says it stops; "
        "*gained*\n"
        "those of them that got something all the same.",
        ("what", "attacks", "promised", "gained"),
    ),
    Section(
        "doors",
        "Who may do what, at every door",
        "Each cell of [the table](who-may-what.md), by page and by API. *Departures* counts answers that are not the "
        "table's,\n"
        "and whatever moved without a yes.",
        ("what", "tries", "yes", "no", "not now", "none", "departures"),
    ),
    Section(
        "strangers",
        "Strangers",
        "Every address with a parameter, asked by somebody of another team with every method. *Told* counts answers "
        "that are\n"
        "neither 404 nor 405; *moved* tables that are others afterwards.",
        ("addresses", "calls", "told", "moved"),
    ),
    Section(
        "bytes",
        "A changed byte is found",
        "Bytes of a copy of the table of events, flipped one at a time. *Found* counts those the check reports, "
        "*named* those\n"
        "for which it names the event that was changed, or the one after it.",
        ("what", "events", "flipped", "found", "named"),
    ),
    Section(
        "chain",
        "One unbroken audit trail",
        "Eight processes record events at the same time, a transaction for each. Every event follows the one before "
        "it, none is\n"
        "missing, and a signed checkpoint of the whole holds. *Load* is the machine's load average before it began.",
        ("database", "processes", "events", "unbroken", "elapsed_s", "events_per_s", "load"),
    ),
    Section(
        "schema",
        "The API keeps its schema",
        "Calls that schemathesis makes from the schema. *Breaches* counts answers the schema does not know, *server "
        "errors*\n"
        "those of 500 and above.",
        ("what", "operations", "calls", "server_errors", "breaches"),
    ),
    Section(
        "canaries",
        "What people write stays text",
        "Forty payloads in every column that holds people's words, read on every page as four people. *Acting* counts "
        "pages on\n"
        "which one would do something, *hits* calls of the listening server.",
        ("columns", "payloads", "answers", "showing", "acting", "hits"),
    ),
    Section(
        "secrets",
        "No error page tells a secret",
        "Every status that either door can answer, provoked while secrets are in the settings, in the request and in "
        "what breaks.",
        ("what", "answers", "statuses", "told"),
    ),
    Section(
        "upgrade",
        "Every earlier state is taken over",
        "A database with a decided request, taken back to each earlier migration and upgraded to the head.",
        ("states", "tables", "rows", "lost"),
    ),
    Section(
        "writers",
        "Writers beside each other",
        "People who file, upload, comment, vote and allocate at once, while a bill is read and packets are drawn. "
        "*Failed*\n"
        "counts answers of 500 and above and connections that broke; *p95* is of pages, beside the writers and idle.",
        (
            *("people", "seconds", "rows", "file_mb", "failed", "deadlocks", "p95_idle_ms", "p95_ms"),
            *("connections_max", "queue_age_max_s"),
        ),
    ),
)
