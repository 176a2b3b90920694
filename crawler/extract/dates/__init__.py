"""How dates and times of day are written, read without a clock."""
