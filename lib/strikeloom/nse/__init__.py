"""Facts of the National Stock Exchange of India, each with its date and its source."""
