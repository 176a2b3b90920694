"""Crawls by the clock: planned starts, each taken once, run as child processes."""
