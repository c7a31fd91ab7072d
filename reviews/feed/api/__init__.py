"""The gate and the feed over HTTP."""
