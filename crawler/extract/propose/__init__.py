"""Rules proposed for a portal that nobody wrote rules for yet."""
