"""``python -m strikeloom.cli``: the command line of this very environment."""

from strikeloom.cli.app import main

main()
