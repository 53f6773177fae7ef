"""StudyFetch usage events: in as xAPI statements, out as usage reports."""
