"""The promises of the project, each with the test that keeps it: a short form here, a long one by
WEIGHBRIDGE_PROMISES=long.
"""
