"""Cleaning: tells the story from what stands around it, keeps what the notices say, and says why.

`load_rules` reads lexicons and profiles once; `clean` is pure.
"""

from copydesk.cleaning.engine import clean
from copydesk.cleaning.profiles import EMPTY as EMPTY_PROFILE
from copydesk.cleaning.profiles import Profile
from copydesk.cleaning.report import Row, explain, to_json
from copydesk.cleaning.rules import Rules, load_rules, prepare

__all__ = ["EMPTY_PROFILE", "Profile", "Row", "Rules", "clean", "explain", "load_rules", "prepare", "to_json"]
