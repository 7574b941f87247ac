"""Carries articles from the stream to their rows."""
