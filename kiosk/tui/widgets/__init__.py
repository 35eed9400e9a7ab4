"""Widgets of the kiosk; none keeps a secret longer than its screen."""
