"""How items change over time: ordered captures folded into revisions and events."""
