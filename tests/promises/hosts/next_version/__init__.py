"""What a next version of the application could bring: a table, a column of an old table, and an effect of a new kind.

It is installed where TRIAL_VERSION is "next".
"""
