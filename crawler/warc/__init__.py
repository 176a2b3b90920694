"""WARC 1.1 records: made, written, indexed, read back, checked, salvaged."""
