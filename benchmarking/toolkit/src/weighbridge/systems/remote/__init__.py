"""Profiles on another machine over ssh."""
