"""Pathway logs: what learners did on the activities of a pathway, imported as statements and served again as `logs/pathway-logs`."""
