"""Liveness by progress: what a process did last, whether that is enough, and who may ask.

`rule` decides, `pulse` records, `guard` ends a process that is stuck, `listener` and `asking` are the two ends of the
question. Nothing is imported here: a health check asks every few seconds and must start fast.
"""
