"""Fetches feeds into the spool: the only process that opens connections to the outside."""
