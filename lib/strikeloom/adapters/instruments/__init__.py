"""Listed contracts."""
