"""Stage 05: positions are marked, exit rules decide, trading acts."""
