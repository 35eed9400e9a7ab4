"""Figures for Prometheus: what is told of store, directory and calls; who reads."""
