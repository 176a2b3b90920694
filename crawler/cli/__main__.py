"""``python -m crawler.cli`` is ``portalkeep``."""

from crawler.cli.main import main

main()
