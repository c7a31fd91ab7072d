"""What Jira's answers, and its silences, mean: in words for a person, and in kind for the outbox.

The one question that matters for a write is whether it may have been done. A refused connection, 429 and 4xx say no; a
timeout, a dropped connection and 5xx say nothing, so they are an unknown outcome and never simply "failed".
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import urllib3.exceptions
from jira import JIRAError
from requests import exceptions as http  # noqa: TID251 -- this adapter is the one place that speaks HTTP

from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.ports import (
    FailureReach,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    TicketGone,
    TrackerError,
    TrackerUnreachable,
)

_MESSAGE_CHARS_MAX = 300
_PER_ISSUE = "jira-per-issue-on-write"
_NEVER_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What was being asked of Jira: `what` completes "could not ..."; `ticket` names the ticket it was about."""

    what: str
    write: bool
    ticket: str = ""


@contextmanager
def in_words(doing: Doing, *, settings: JiraSettings, clock: Callable[[], datetime]) -> Iterator[None]:
    """Turn whatever goes wrong inside into a TrackerError with a reason."""
    try:
        yield
    except JIRAError as error:
        raise refusal(error, doing, settings=settings, now=clock()) from error
    except (http.InvalidURL, http.InvalidSchema, http.TooManyRedirects) as error:
        raise Misconfigured(
            "JIRA_URL is not the address of the API itself: it redirects or is no web address. "
            "Open it in a browser and set JIRA_URL to where you end up, without any path."
        ) from error
    except http.ConnectionError as error:
        raise _silence(error, doing, settings=settings) from error
    except (http.RequestException, ValueError, KeyError, TypeError) as error:
        raise _nonsense(error, doing, settings=settings) from error


def refusal(error: JIRAError, doing: Doing, *, settings: JiraSettings, now: datetime) -> TrackerError:
    """The meaning of an HTTP status that is not a success."""
    status = error.status_code or 0
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    wait_s = wait_from(headers, now=now)
    if status == 429:
        reach = FailureReach.TICKET if headers.get("RateLimit-Reason") == _PER_ISSUE else FailureReach.TRACKER
        reason = f"Jira asked to slow down, so it did not {doing.what} yet."
        return RateLimited(reason, retry_after_s=wait_s, reach=reach)
    if status == 408 or status >= 500:
        if doing.write:
            return _unknown(doing, f"Jira answered with error {status}", max(settings.settle_s, wait_s or 0.0))
        return TrackerUnreachable(
            f"Jira could not {doing.what}: it answered with error {status}.", retry_after_s=wait_s
        )
    if status == 409:
        reason = f"Jira could not {doing.what}: the ticket is being changed by another."
        return TrackerUnreachable(reason, retry_after_s=wait_s, reach=FailureReach.TICKET)
    return _permanent(status, error, doing, settings)


def _permanent(status: int, error: JIRAError, doing: Doing, settings: JiraSettings) -> TrackerError:
    if status == 401:
        return Misconfigured(
            f"Jira does not accept the account {settings.email} or its token: make a new API token for it and set "
            "JIRA_EMAIL and JIRA_TOKEN."
        )
    if status == 403:
        return Misconfigured(
            f"The account {settings.email} may not {doing.what} in Jira: give it that permission in project "
            f"{settings.project}, or use another account.{_quoted(_messages(error)[0])}",
            reach=FailureReach.ALIKE,
        )
    if status in {404, 410} and doing.ticket:
        return TicketGone(
            f"Jira shows no ticket {doing.ticket} to the account {settings.email}: it was deleted, or moved to a "
            "project the account may not see."
        )
    if status in {404, 410}:
        return Misconfigured(
            f"Jira could not {doing.what}: there is nothing at this address, or no project {settings.project} that the "
            f"account {settings.email} may see. Check JIRA_URL and JIRA_PROJECT."
        )
    return _bad_request(status, error, doing, settings)


def _bad_request(status: int, error: JIRAError, doing: Doing, settings: JiraSettings) -> Misconfigured:
    general, fields = _messages(error)
    if "labels" in fields:
        return Misconfigured(
            f"Jira would not {doing.what} with a label: add the field Labels to the screens of project "
            f"{settings.project}. Without its label a ticket could not be found again.",
            fields=tuple(fields),
            reach=FailureReach.ALIKE,
        )
    said = "; ".join([*(f"{name}: {text}" for name, text in fields.items()), *([general] if general else [])])
    return Misconfigured(
        f"Jira would not {doing.what} (answer {status}).{_quoted(said)} Correct the project's screens, or "
        "JIRA_PROJECT, "
        "JIRA_ISSUE_TYPE and JIRA_FIELDS.",
        fields=tuple(fields),
        reach=FailureReach.ALIKE if fields else FailureReach.TICKET,
    )


def wait_from(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """How long to wait, in seconds; None where nothing usable is said.

    Reads `Retry-After` as seconds or as an HTTP date (RFC 9110 §10.2.3), else `X-RateLimit-Reset` as an ISO 8601 time.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    for text, parse in ((said, parsedate_to_datetime), (headers.get("X-RateLimit-Reset", ""), datetime.fromisoformat)):
        try:
            moment = parse(text)
        except (ValueError, TypeError):
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    return None


def _unknown(doing: Doing, why: str, settle_s: float) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{why} when asked to {doing.what}: it may have been done all the same. It will be looked for before any "
        "new attempt.",
        settle_s=settle_s,
    )


def _silence(error: http.ConnectionError, doing: Doing, *, settings: JiraSettings) -> TrackerError:
    if isinstance(error, http.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Misconfigured(
            "The certificate of the server at JIRA_URL is not trusted here: correct JIRA_URL, or add the authority "
            "to the trusted certificates of this machine."
        )
    if doing.write and not _never_sent(error):
        return _unknown(doing, "The connection to Jira broke", settings.settle_s)
    return TrackerUnreachable(
        f"Jira at {settings.url} cannot be reached, so it did not {doing.what}. It will be tried again."
    )


def _nonsense(error: Exception, doing: Doing, *, settings: JiraSettings) -> TrackerError:
    broken_off = isinstance(error, http.Timeout | http.ChunkedEncodingError)
    if doing.write:
        why = "Jira did not answer in time" if broken_off else "Jira's answer could not be read"
        return _unknown(doing, why, settings.settle_s)
    if broken_off:
        return TrackerUnreachable(f"Jira did not answer in time when asked to {doing.what}. It will be tried again.")
    return Misconfigured(
        f"The server at {settings.url} did not answer as Jira does when asked to {doing.what}: check JIRA_URL, and "
        "that "
        "no login page or proxy stands before it."
    )


def _never_sent(error: http.ConnectionError) -> bool:
    """Whether the connection was never made, so that nothing can have been done."""
    if isinstance(error, http.ConnectTimeout | http.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), _NEVER_SENT)


def _messages(error: JIRAError) -> tuple[str, dict[str, str]]:
    """What Jira itself said: in general, and field by field."""
    try:
        body = error.response.json() if error.response is not None else {}
        general = "; ".join(str(message) for message in body.get("errorMessages", []))
        return general, {str(name): str(text) for name, text in body.get("errors", {}).items()}
    except (ValueError, AttributeError, TypeError):
        return "", {}


def _quoted(said: str) -> str:
    text = said.strip()
    return f" Jira says: {text[:_MESSAGE_CHARS_MAX]}" + ("" if text.endswith(".") else ".") if text else ""
