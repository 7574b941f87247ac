"""Processes woken by a job. They carry it a step nearer to a row and contain no rule."""
