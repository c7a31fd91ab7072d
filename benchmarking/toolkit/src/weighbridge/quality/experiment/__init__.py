"""Experiments: the change of a business metric between a control and a treatment."""
