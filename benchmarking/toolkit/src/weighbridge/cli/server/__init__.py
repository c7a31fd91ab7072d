"""Commands that call a Weighbridge server."""
