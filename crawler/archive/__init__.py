"""What is kept: the store, its layout, the spool before it, reading it back."""
