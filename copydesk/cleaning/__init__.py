"""Cleaning: tells the story from what stands around it, keeps what the notices say, and says why.

`load_rules` reads lexicons and profiles once; `clean` is pure.
"""

from copydesk.cleaning.engine import clean
from copydesk.cleaning.profiles import EMPTY as EMPTY_PROFILE
from copydesk.cleaning.profiles import Profile
from copydesk.cleaning.report import Row, explain, to_json
from copydesk.cleaning.rules import Rules, load_rules, prepare
from copydesk.cleaning.structure import apply_structure, refuse

__all__ = [
    "EMPTY_PROFILE",
    "Profile",
    "Row",
    "Rules",
    "apply_structure",
    "clean",
    "explain",
    "load_rules",
    "prepare",
    "refuse",
    "to_json",
]
