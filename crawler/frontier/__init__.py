"""What to visit next: policy without I/O, and a leased table of work."""
