"""What the tests of durability share: one real S3 server."""

from __future__ import annotations

from tests.archive.seaweed import aws, seaweed, seaweed_server

__all__ = ["aws", "seaweed", "seaweed_server"]
