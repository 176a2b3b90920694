"""Keeping the archive whole: checked, repaired, made again, cleared of leftovers."""
