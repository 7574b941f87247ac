"""Runs all that a clock wakes: the reconciler of the spool, due feeds."""
