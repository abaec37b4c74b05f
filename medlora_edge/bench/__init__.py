"""Measuring a model on a data set: run, resume, metrics, report, comparison."""
