"""Tests of workload reports."""
