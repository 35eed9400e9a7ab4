"""The self-service kiosk on a terminal; the only importer of Textual."""
