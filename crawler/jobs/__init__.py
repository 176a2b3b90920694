"""Jobs: the only place where clock, store, frontier, Scrapy and extraction meet."""
