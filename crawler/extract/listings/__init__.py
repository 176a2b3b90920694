"""Listing pages: their rows, the links of these, the page that follows."""
