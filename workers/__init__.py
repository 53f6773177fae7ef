"""The worker service: arq jobs that keep summaries up to date."""
