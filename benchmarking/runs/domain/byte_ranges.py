"""The one kind of a range of bytes that downloads are resumed with."""

import re

from weighbridge.core.errors import Invalid

FROM = re.compile(r"bytes=([0-9]{1,15})-")


def first_byte(header: str, *, size: int) -> int:
    """The first byte of `bytes=START-`; 0 without a header. Raise Invalid for another form, or beyond the end."""
    if not header:
        return 0
    form = FROM.fullmatch(header)
    if form is None or int(form[1]) >= size:
        raise Invalid(f"The range must be bytes=START- with a start below {size}.", code="range", field="Range")
    return int(form[1])
