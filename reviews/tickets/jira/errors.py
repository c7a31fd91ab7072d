"""Translate HTTP errors of Jira into tracker errors: with a reason for people and a kind for the outbox.

For a write, the question is whether Jira may have executed it. After a refused connection, 429 and 4xx it did not.
After a timeout, a dropped connection and 5xx nobody knows, so the outcome is unknown and never simply "failed".
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import urllib3.exceptions
from jira import JIRAError
from requests import exceptions as http  # noqa: TID251 -- only this adapter uses HTTP

from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.ports import (
    CredentialRefused,
    FailureReach,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    TicketGone,
    TrackerError,
    TrackerUnreachable,
)
from weighbridge.core.parsing.http_answers import retry_after_s

_MESSAGE_CHARS_MAX = 300
_ODD_ANSWER = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading an answer of unexpected form raises."""
_PER_ISSUE = "jira-per-issue-on-write"
_NEVER_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A request to Jira: `what` completes "could not ..."; `ticket` is its ticket."""

    what: str
    write: bool
    ticket: str = ""


@contextmanager
def translate_errors(operation: Operation, *, settings: JiraSettings, clock: Callable[[], datetime]) -> Iterator[None]:
    """Translate every exception in the block into a TrackerError with a reason."""
    try:
        yield
    except JIRAError as error:
        raise error_from_response(error, operation, settings=settings, now=clock()) from error
    except (http.InvalidURL, http.InvalidSchema, http.TooManyRedirects) as error:
        raise Misconfigured(
            "The address of the site is not that of the API itself: it redirects or is not a web address. "
            "Open it in a browser, and enter the address that you reach as the address of the site."
        ) from error
    except http.ConnectionError as error:
        raise _connection_error(error, operation, settings=settings) from error
    except (http.RequestException, *_ODD_ANSWER) as error:
        raise _response_error(error, operation, settings=settings) from error


def error_from_response(
    error: JIRAError, operation: Operation, *, settings: JiraSettings, now: datetime
) -> TrackerError:
    """The tracker error for an unsuccessful HTTP status."""
    status = error.status_code or 0
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    wait_s = retry_after_s(headers, now=now)
    if status == 429:
        reach = FailureReach.TICKET if headers.get("RateLimit-Reason") == _PER_ISSUE else FailureReach.TRACKER
        reason = f"Jira limited the request rate, so it did not {operation.what} yet."
        return RateLimited(reason, retry_after_s=wait_s, reach=reach)
    if status == 408 or status >= 500:
        if operation.write:
            return _unknown(operation, f"Jira answered with error {status}", max(settings.settle_s, wait_s or 0.0))
        return TrackerUnreachable(
            f"Jira could not {operation.what}: it answered with error {status}.", retry_after_s=wait_s
        )
    if status == 409:
        reason = f"Jira could not {operation.what}: the ticket is being changed by another user."
        return TrackerUnreachable(reason, retry_after_s=wait_s, reach=FailureReach.TICKET)
    return _permanent(status, error, operation, settings)


def _permanent(status: int, error: JIRAError, operation: Operation, settings: JiraSettings) -> TrackerError:
    if status == 401:
        return CredentialRefused(settings.refusal)
    if status == 403:
        return Misconfigured(
            f"{_sentence(settings.account)} may not {operation.what} in Jira: grant it this permission"
            f"{_in_project(settings)}, or use another account.{_quoted(_messages(error)[0])}",
            reach=FailureReach.ALIKE,
        )
    if status in {404, 410} and operation.ticket:
        return TicketGone(
            f"Jira does not show ticket {operation.ticket} to {settings.account}: it was deleted, or moved "
            "to a project that the account may not see."
        )
    if status in {404, 410}:
        nothing, check = f"Jira could not {operation.what}: there is nothing at this address", "the address of the site"
        if settings.project:
            nothing += f", or no project {settings.project} that {settings.account} may see"
            check += " and the project of the route"
        return Misconfigured(f"{nothing}. Check {check}.")
    if status == 413:
        return Misconfigured(
            f"Jira did not {operation.what}, because it is larger than Jira allows: raise the limit of attachments in "
            "Jira, or attach the file by hand.",
            reach=FailureReach.TICKET,
        )
    return _bad_request(status, error, operation, settings)


def _bad_request(status: int, error: JIRAError, operation: Operation, settings: JiraSettings) -> Misconfigured:
    general, fields = _messages(error)
    if "labels" in fields:
        return Misconfigured(
            f"Jira refused to {operation.what} with a label: add the field Labels to the screens of project "
            f"{settings.project}. Weighbridge needs the label to find a ticket again.",
            fields=tuple(fields),
            reach=FailureReach.ALIKE,
        )
    details = "; ".join([*(f"{name}: {text}" for name, text in fields.items()), *([general] if general else [])])
    return Misconfigured(
        f"Jira refused to {operation.what} (answer {status}).{_quoted(details)} Correct the project's screens, or "
        "the project, issue type and fields of the route.",
        fields=tuple(fields),
        reach=FailureReach.ALIKE if fields else FailureReach.TICKET,
    )


def _unknown(operation: Operation, why: str, settle_s: float) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{why} when asked to {operation.what}: it may have been done anyway. Weighbridge will search for it before "
        "a new attempt.",
        settle_s=settle_s,
    )


def _connection_error(error: http.ConnectionError, operation: Operation, *, settings: JiraSettings) -> TrackerError:
    if isinstance(error, http.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Misconfigured(
            f"The certificate of the server at {settings.url} is not trusted: correct the address of the site, or add "
            "its certificate authority to the trusted certificates of this machine."
        )
    if operation.write and not _never_sent(error):
        return _unknown(operation, "The connection to Jira broke", settings.settle_s)
    return TrackerUnreachable(
        f"Jira at {settings.url} cannot be reached, so it did not {operation.what}. Weighbridge will try again."
    )


def _response_error(error: Exception, operation: Operation, *, settings: JiraSettings) -> TrackerError:
    is_timeout = isinstance(error, http.Timeout | http.ChunkedEncodingError)
    if operation.write:
        why = "Jira did not answer in time" if is_timeout else "Jira's answer could not be read"
        return _unknown(operation, why, settings.settle_s)
    if is_timeout:
        return TrackerUnreachable(
            f"Jira did not answer in time when asked to {operation.what}. Weighbridge will try again."
        )
    return Misconfigured(
        f"The server at {settings.url} did not answer like Jira when asked to {operation.what}: check the address of "
        "the site, and that no login page or proxy is in front of it."
    )


def _never_sent(error: http.ConnectionError) -> bool:
    """Whether no connection was established, so that Jira cannot have executed anything."""
    if isinstance(error, http.ConnectTimeout | http.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), _NEVER_SENT)


def _messages(error: JIRAError) -> tuple[str, dict[str, str]]:
    """The error messages of Jira: the general message, and messages by field."""
    try:
        body = error.response.json() if error.response is not None else {}
        general = "; ".join(str(message) for message in body.get("errorMessages", []))
        return general, {str(name): str(text) for name, text in body.get("errors", {}).items()}
    except (ValueError, AttributeError, TypeError):
        return "", {}


def _in_project(settings: JiraSettings) -> str:
    return f" in project {settings.project}" if settings.project else ""


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _quoted(message: str) -> str:
    text = message.strip()
    return f" Jira says: {text[:_MESSAGE_CHARS_MAX]}" + ("" if text.endswith(".") else ".") if text else ""
