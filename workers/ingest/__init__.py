"""Carries jobs from the queue to the article stream."""
