"""Summaries of any xAPI traffic, whichever system it came from: what learners did with activities, and in courses. Pure."""

from lrs.reports.activity import ACTIVITY_CELL
from lrs.reports.course import COURSE_CELL

__all__ = ["ACTIVITY_CELL", "COURSE_CELL", "MATERIALIZERS"]

MATERIALIZERS = (ACTIVITY_CELL, COURSE_CELL)
