"""TLS of the generator: which certificates it trusts."""

import ssl

from weighbridge.core.errors import Invalid
from weighbridge.load.generator.http2.connection import NoHttp2Error


def tls_context(ca_file: str = "", protocol: str = "http/1.1") -> ssl.SSLContext:
    """Return a context that trusts the certificates of the system, or only those of a PEM file, for one protocol.

    Raises Invalid for a file that cannot be read or has no certificates.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        why = error.strerror if not isinstance(error, ssl.SSLError) and error.strerror else "it has no PEM certificates"
        raise Invalid(f"The certificates of {ca_file} cannot be read: {why}.", field="cacert") from error
    context.set_alpn_protocols([protocol])
    return context


def connection_advice(error: BaseException) -> str:
    """Return what to do about a connection that could not be opened."""
    if isinstance(error, NoHttp2Error) or "NO_APPLICATION_PROTOCOL" in str(getattr(error, "reason", "")):
        return "if it speaks only HTTP/1.1, omit --http2 or --http2-prior-knowledge."
    if isinstance(error, ssl.SSLCertVerificationError):
        return "give the certificates to trust with --cacert."
    return "is the server running?"


def describe_error(error: BaseException) -> str:
    """Return the message of a connection error."""
    return getattr(error, "strerror", None) or str(error) or "timed out"
