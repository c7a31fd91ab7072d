"""Measurements on devices of users: a page that runs a model in their browser, and the checks of its report."""
