"""The nouns: frozen records and checked frames. No input or output, no other room."""
