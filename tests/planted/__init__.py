"""Bugs planted on purpose, one at a time: would a test say so?"""
