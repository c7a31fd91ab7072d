"""The number of an authorization: that of its request, under a prefix of its own."""

REQUEST, AUTHORIZATION = "MRR-", "AUT-"


def number_of(request_ref: str) -> str:
    """The number of the authorization of a request: `AUT-2026-0001` of `MRR-2026-0001`."""
    return AUTHORIZATION + request_ref.removeprefix(REQUEST)


def request_ref_of(number: str) -> str:
    """The reference of the request to which an authorization belongs."""
    return REQUEST + number.removeprefix(AUTHORIZATION)
