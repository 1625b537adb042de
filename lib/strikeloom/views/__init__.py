"""Figures, tables and the monitor page. Nothing here decides."""
