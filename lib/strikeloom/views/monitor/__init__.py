"""The monitor page and the server that shows it."""
