"""OfCourseMe's events: one call for each thing a learner does, and reports on searches, completed courses and hours."""
