"""``python -m strikeloom``: the command line of this very environment."""

from strikeloom.cli.app import main

main()
