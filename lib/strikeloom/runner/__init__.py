"""Running a notebook as a stage, what it leaves behind, and when."""
