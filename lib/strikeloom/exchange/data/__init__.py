"""Tables of an account file by version, and the broker's rules by date."""
