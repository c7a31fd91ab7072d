"""Content-Security-Policy headers for documents that are shown by themselves."""

ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
