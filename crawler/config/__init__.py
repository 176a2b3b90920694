"""The configuration: its vocabulary, and how a file of it becomes values."""
