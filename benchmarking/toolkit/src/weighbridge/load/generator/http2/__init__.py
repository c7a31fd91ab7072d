"""HTTP/2 of the generator: frames, and a connection whose streams are requests (RFC 9113)."""
