"""Playbill: sells video courses from your own site."""
