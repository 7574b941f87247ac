"""What is wrong with an installation, and what to do about it: `look_around` gathers facts, `judge` reads them.

Left out: mending anything. What moves all the time (queues, lags) is measured and has alarms, in `deploy/prometheus`.
"""

from copydesk.doctor.facts import Facts, Folder, Process, Site
from copydesk.doctor.findings import Finding, Level
from copydesk.doctor.looking import look_around
from copydesk.doctor.rules import judge

__all__ = ["Facts", "Finding", "Folder", "Level", "Process", "Site", "judge", "look_around"]
