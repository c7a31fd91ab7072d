"""The pages a person sees: the board at `/`, one ticket at `/browse/KEY`. Read only, no script, nothing
from elsewhere.
"""

from html import escape

from tests.standins.jira.about import STATUSES, About, Json
from tests.standins.jira.adf import as_html

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 46rem; padding: 1.5rem; }
header { color: GrayText; font-size: .85rem; border-bottom: 1px solid; padding-bottom: .5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h3 { margin-bottom: .25rem; }
.status { border-radius: 3px; font-size: .75rem; font-weight: 700; padding: .15rem .5rem; text-transform: uppercase; }
.new { background: #dfe1e6; color: #253858; } .indeterminate { background: #deebff; color: #0747a6; }
.done { background: #e3fcef; color: #006644; }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { border: 1px solid GrayText; padding: .25rem .75rem; text-align: left; }
th p, td p { margin: 0; } article { border-top: 1px solid GrayText; margin-top: 1rem; }
code { font-size: .8rem; opacity: .7; }
"""


def board(about: About, issues: list[Json]) -> str:
    """Every ticket with its status, the newest first."""
    rows = "".join(
        f'<tr><td><a href="/browse/{escape(issue["key"])}">{escape(issue["key"])}</a></td>'
        f"<td>{escape(issue['fields']['summary'])}</td><td>{_lozenge(issue)}</td></tr>"
        for issue in reversed(issues)
        if not issue.get("deleted")
    )
    body = (
        f"<table><tr><th>Key</th><th>Summary</th><th>Status</th></tr>{rows}</table>"
        if rows
        else "<p>No tickets yet.</p>"
    )
    return _page(about.config.project_name, about, f"<h1>{escape(about.config.project_name)}</h1>{body}")


def ticket(about: About, issue: Json) -> str:
    """One ticket: description, labels, links back, comments."""
    fields = issue["fields"]
    labels = ", ".join(f"<code>{escape(label)}</code>" for label in fields.get("labels", []))
    links = "".join(
        f'<li><a href="{escape(link["object"]["url"])}">{escape(link["object"]["title"])}</a></li>'
        for link in issue["links"].values()
    )
    comments = "".join(
        f"<article><p><strong>{escape(comment['author']['displayName'])}</strong> {escape(comment['created'][:16])}</p>"
        f"{_body(comment['body'])}</article>"
        for comment in issue["comments"]
    )
    body = (
        f"<p>{escape(issue['key'])} · {escape(fields['issuetype']['name'])} {_lozenge(issue)}</p>"
        f"<h1>{escape(fields['summary'])}</h1>{_body(fields['description']) if 'description' in fields else ''}"
        f"<p>Labels: {labels or 'none'}</p><h2>Links</h2><ul>{links or '<li>none</li>'}</ul>"
        f"<h2>Comments</h2>{comments or '<p>none</p>'}"
    )
    return _page(f"{issue['key']} {fields['summary']}", about, body)


def missing(about: About) -> str:
    """The page where there is no ticket."""
    return _page("Not here", about, "<h1>There is no such ticket</h1>")


def _body(body: object) -> str:
    """ADF as HTML; wiki markup as it was written."""
    return as_html(body) if isinstance(body, dict) else f"<pre>{escape(str(body))}</pre>"


def _lozenge(issue: Json) -> str:
    name, category = STATUSES[issue["status"]]
    return f'<span class="status {category}">{escape(name)}</span>'


def _page(title: str, about: About, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/_style.css"></head><body>'
        f'<header><a href="/">{escape(about.config.project_name)}</a>: a stand-in for Jira Cloud, for tests and the '
        "demo</header>"
        f"<main>{body}</main></body></html>"
    )
