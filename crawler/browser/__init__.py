"""What a browser asks for, as wire-exact exchanges: the recording proxy in-process.

The browser part of the Scrapy edge opens one port a browser context and gets every
exchange of it, in the order they end.  Nothing here knows Scrapy or Twisted; all of it
runs on one asyncio loop.
"""
