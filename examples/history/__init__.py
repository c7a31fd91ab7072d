"""Ten years of requests: the recording of the demo, copied many times over divisions and years, by COPY."""
