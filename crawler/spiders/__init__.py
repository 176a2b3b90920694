"""The Scrapy edge: all that knows Scrapy, Twisted and Playwright."""
