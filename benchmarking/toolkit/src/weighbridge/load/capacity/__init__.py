"""Capacity: how many replicas of a language model server a peak needs, from runs at several rates."""
