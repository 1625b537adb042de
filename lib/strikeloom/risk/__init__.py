"""What a position may cost before it pays: margin estimates, always labelled so."""
