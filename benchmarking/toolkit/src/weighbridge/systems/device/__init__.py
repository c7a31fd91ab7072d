"""Measurements on the devices of users: a page that runs a model in their browser, and the checks of what it reports."""
