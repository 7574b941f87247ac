"""Judges whether a document is new, a revision, unchanged or a duplicate. Pure: no clock, database or queue."""
