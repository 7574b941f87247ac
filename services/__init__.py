"""Processes woken by a request, a file or a clock. They put jobs on a queue and contain no rule."""
