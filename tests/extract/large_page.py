"""Extract one large page and print the CPU time and the memory that it takes.

    python large_page.py '[PART, BYTES]'

PART is repeated.  Memory is the peak over what the process had before, in MB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime

from crawler.extract import extract_item

URL = "http://h.example/n/1.html"
AT = datetime(2025, 7, 15, 6, tzinfo=UTC)
BRIEF = b"<h1>A bridge opens</h1><p>The mayor said, on Monday, that it would.</p>"
_UNIT = 1 << 20 if sys.platform == "darwin" else 1 << 10


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT


def main() -> None:
    """Warm up on a short page, so that imports do not count."""
    part, size = json.loads(sys.argv[1])
    extract_item(BRIEF, url=URL, captured_at=AT)
    repeated = part.encode()
    body = BRIEF + repeated * (size // len(repeated))
    before_mb, began = peak_mb(), time.process_time()
    extract_item(body, url=URL, captured_at=AT)
    taken_s = time.process_time() - began
    json.dump([taken_s, peak_mb() - before_mb], sys.stdout)


if __name__ == "__main__":
    main()
