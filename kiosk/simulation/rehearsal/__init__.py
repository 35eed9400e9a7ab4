"""Headless: scenario files, visits, report."""
