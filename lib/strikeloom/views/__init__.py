"""What people look at: figures, tables, the monitor page."""
