"""Accounts of a cluster, kept in step with projects and their members.

plan     what differs, and what would be done about it
service  doing it
"""
