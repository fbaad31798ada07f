"""Courses with days, places and certificates; some open doors."""
