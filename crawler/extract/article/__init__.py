"""The text of an article: found, walked, cut of what is not the author's."""
