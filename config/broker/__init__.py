"""The broker of Celery: its options, and the transport that needs no server."""
