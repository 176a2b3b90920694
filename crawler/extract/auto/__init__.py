"""Listings without rules: which links are items, what follows, what a page is."""
