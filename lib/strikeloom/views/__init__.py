"""Figures, tables and the monitor page; no decisions are made here."""
