"""Tests of `make try` and `make screenshots`."""
