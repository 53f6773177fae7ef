"""Kolibri's logger API: sessions, summaries, mastery and attempt logs, out of xAPI statements."""
