"""Exit rules: frozen values with one pure method each."""
