"""Allocation of bill lines: the rules, drafts of them, and the lines that they are made for."""
