"""The one place that knows every class: `building` puts an installation together, each other module one area of it, `machinery` what runs
its jobs.
"""
