"""S3 beyond the contract: what a bad network, a poor service and a wrong key do."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from crawler.archive.store import ObjectInfo, open_store
from crawler.archive.store.probe import probe, probe_once
from crawler.archive.store.s3 import S3Store
from crawler.clock import SystemClock
from crawler.config.portal import Portal
from crawler.config.settings import MIB, Settings, SpoolSettings, StoreSettings
from crawler.errors import (
    ConfigError,
    ObjectExists,
    StoreRefused,
    StoreUnavailable,
)
from crawler.jobs.crawl import begin
from crawler.jobs.doctor import diagnose_places
from tests.archive.seaweed import BUCKET, SECRET, Seaweed, free_ports
from tests.site.fault_proxy import Fault, FaultProxy, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "archive/p/2025/07/p-1.warc.gz"
PART = 5 * MIB
LARGE = bytes(range(256)) * (PART // 256 * 2) + b"the last part"
NO_SUCH_UPLOAD = b"<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>"
COMPLETE, PARTS = "?uploadId=", "partNumber="


def gone(part: str, times: int) -> Fault:
    """Return that an upload is not known any more."""
    return Fault("answer", "PUT", part, times, status=404, body=NO_SUCH_UPLOAD)


@dataclass(frozen=True, slots=True)
class Bench:
    """A store behind a proxy, and one straight to the server.

    Attributes:
        client: botocore's own, to see what is there without our code.
    """

    proxy: FaultProxy
    store: S3Store
    straight: S3Store
    server: Seaweed
    client: Any

    def fail(self, *faults: Fault) -> None:
        """Let these faults happen from now on, and count anew."""
        self.proxy.faults = list(faults)
        self.proxy.seen = []

    def kept(self, key: str = KEY) -> dict[str, Any]:
        """Return what the server says of an object."""
        full = f"{self.server.prefix}/{key}"
        return dict(self.client.head_object(Bucket=BUCKET, Key=full))

    def uploads(self) -> list[str]:
        """Return the keys of the open uploads of this test."""
        answer = self.client.list_multipart_uploads(
            Bucket=BUCKET, Prefix=self.server.prefix
        )
        return [upload["Key"] for upload in answer.get("Uploads", ())]


@pytest.fixture
def bench(seaweed: Seaweed) -> Iterator[Bench]:
    """Give a store behind a proxy that does nothing yet."""
    client = boto3.session.Session().client(
        "s3", endpoint_url=seaweed.url, region_name="us-east-1"
    )
    with FaultProxy(seaweed.port) as proxy:
        store = S3Store(seaweed.settings(proxy.url, read_timeout=2))
        yield Bench(proxy, store, S3Store(seaweed.settings()), seaweed, client)


@pytest.fixture(params=["bytes", "file"])
def large(request: pytest.FixtureRequest, tmp_path: Path) -> Path | bytes:
    """Give a content of three parts."""
    if request.param == "bytes":
        return LARGE
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


class TestNetwork:
    """What is lost on the way is found again, or said."""

    def test_the_answer_to_a_put_is_lost(self, bench: Bench) -> None:
        """The object is stored, the second try is refused by it: that is success."""
        bench.fail(Fault("lose", "PUT"))
        bench.store.put_if_absent(KEY, b"mine")
        assert bench.proxy.count("PUT", KEY) == 2
        assert bench.straight.get(KEY) == b"mine"

    def test_lost_answers_do_not_hide_another_object(self, bench: Bench) -> None:
        """What another wrote is not taken for ours."""
        bench.straight.put(KEY, b"them")
        bench.fail(Fault("lose", "HEAD"), Fault("lose", "PUT"))
        with pytest.raises(ObjectExists):
            bench.store.put_if_absent(KEY, b"mine")
        assert bench.straight.get(KEY) == b"them"

    @pytest.mark.parametrize("kind", ["lose", "reset", "answer"])
    @pytest.mark.parametrize("status", [500, 503])
    def test_one_failure_is_tried_again(
        self, bench: Bench, kind: Kind, status: int
    ) -> None:
        """One broken connection or busy server is not heard of."""
        bench.fail(Fault(kind, "PUT", status=status))
        bench.store.put(KEY, b"x" * 100_000)
        bench.fail(Fault(kind, "GET", status=status))
        assert bench.store.get(KEY) == b"x" * 100_000
        bench.fail(Fault(kind, "HEAD", status=status))
        assert bench.store.head(KEY) == ObjectInfo(KEY, 100_000)
        bench.fail(Fault(kind, "GET", status=status))
        assert [info.key for info in bench.store.list()] == [KEY]
        bench.fail(Fault(kind, "DELETE", status=status))
        bench.store.delete(KEY)
        assert bench.straight.head(KEY) is None

    @pytest.mark.parametrize("times", [1, 3])
    def test_another_writer_is_at_it(self, bench: Bench, times: int) -> None:
        """A conflict that passes is waited for, if nobody else's object comes of it."""
        bench.fail(Fault("answer", "PUT", times=times, status=409))
        bench.store.put_if_absent(KEY, b"mine")
        assert bench.proxy.count("PUT", KEY) == times + 1
        assert bench.straight.get(KEY) == b"mine"

    def test_a_conflict_that_stays(self, bench: Bench) -> None:
        """It is given up for now."""
        bench.fail(Fault("answer", "PUT", times=99, status=409))
        with pytest.raises(StoreUnavailable, match="others are writing"):
            bench.store.put_if_absent(KEY, b"mine")

    def test_a_body_that_breaks_off_is_read_again(self, bench: Bench) -> None:
        """Half of an object is never given for the whole."""
        bench.straight.put(KEY, LARGE[:100_000])
        bench.fail(Fault("cut", "GET", times=2))
        assert bench.store.get(KEY) == LARGE[:100_000]
        bench.fail(Fault("cut", "GET", times=9))
        with pytest.raises(StoreUnavailable, match="p-1"):
            bench.store.get(KEY)

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_server_that_stays_busy(self, bench: Bench, status: int) -> None:
        """It is given up after three tries; the same call later is fine."""
        bench.fail(Fault("answer", times=3, status=status))
        with pytest.raises(StoreUnavailable, match=str(status)) as caught:
            bench.store.put_if_absent(KEY, b"x")
        assert caught.value.retryable
        bench.store.put_if_absent(KEY, b"x")
        assert bench.straight.get(KEY) == b"x"

    def test_nobody_listens(self, seaweed: Seaweed) -> None:
        """A refused connection is told at once, with the endpoint and what it was."""
        (port,) = free_ports(1)
        store = S3Store(seaweed.settings(f"http://127.0.0.1:{port}"))
        begun = time.monotonic()
        for ask in (store.get, store.head, store.delete, lambda x: list(store.list(x))):
            with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}") as caught:
                ask(KEY)
            assert caught.value.retryable
        assert time.monotonic() - begun < 30

    def test_a_black_hole(self, bench: Bench) -> None:
        """A server that never answers is given up by the time allowed."""
        bench.fail(Fault("hold", times=9))
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable, match="in time"):
            bench.store.head(KEY)
        assert time.monotonic() - begun < 20

    def test_a_slow_server_is_waited_for(self, bench: Bench) -> None:
        """An answer within the time allowed is an answer."""
        bench.fail(Fault("slow", "PUT", wait_s=0.5))
        bench.store.put(KEY, b"x")
        assert bench.proxy.count("PUT", KEY) == 1

    def test_an_answer_that_is_none_of_s3(self, bench: Bench) -> None:
        """A page of some gateway is no listing; it may be gone later."""
        bench.fail(Fault("answer", "GET", times=9, status=200, body=b"<html>hello<br>"))
        with pytest.raises(StoreUnavailable, match="all objects"):
            list(bench.store.list())


class TestMultipart:
    """Large objects go in parts, each once."""

    def test_each_part_is_sent_once(self, bench: Bench, large: Path | bytes) -> None:
        """The object is whole, carries its digest, and nothing is left open."""
        bench.store.put_if_absent(KEY, large)
        assert bench.proxy.count("PUT", PARTS) == 3
        assert bench.straight.get(KEY) == LARGE
        assert len(bench.kept()["Metadata"]["sha256"]) == 64
        assert bench.uploads() == []
        bench.store.put_if_absent(KEY, large)
        assert bench.proxy.count("PUT", PARTS) == 3

    def test_an_upload_cut_off_goes_on(self, bench: Bench, large: Path | bytes) -> None:
        """Only the parts that are missing are sent by the next try, of any process."""
        bench.fail(Fault("answer", "PUT", "partNumber=3", times=9))
        with pytest.raises(StoreUnavailable):
            bench.store.put_if_absent(KEY, large)
        assert bench.straight.head(KEY) is None
        assert len(bench.uploads()) == 1
        bench.fail()
        other = S3Store(bench.server.settings(bench.proxy.url))
        other.put_if_absent(KEY, large)
        assert bench.proxy.count("PUT", PARTS) == 1
        assert bench.proxy.count("PUT", "partNumber=3") == 1
        assert bench.straight.get(KEY) == LARGE
        assert bench.uploads() == []

    def test_an_upload_of_another_content_is_left_alone(self, bench: Bench) -> None:
        """What somebody else began under the key is not mixed with ours."""
        bench.fail(Fault("answer", "PUT", "partNumber=3", times=9))
        with pytest.raises(StoreUnavailable):
            bench.store.put(KEY, b"?" + LARGE[1:])
        bench.fail()
        bench.store.put(KEY, LARGE)
        assert bench.proxy.count("PUT", PARTS) == 3
        assert bench.straight.get(KEY) == LARGE
        assert len(bench.uploads()) == 1

    def test_an_upload_with_the_same_begin(self, bench: Bench) -> None:
        """An upload that was begun for a longer content does not leave its digest."""
        bench.fail(Fault("answer", "PUT", "partNumber=3", times=9))
        with pytest.raises(StoreUnavailable):
            bench.store.put(KEY, LARGE + b"more")
        bench.fail()
        bench.store.put_if_absent(KEY, LARGE)
        bench.store.put_if_absent(KEY, LARGE)
        assert bench.straight.get(KEY) == LARGE
        with pytest.raises(ObjectExists):
            bench.store.put_if_absent(KEY, LARGE + b"more")

    @pytest.mark.parametrize("put", ["put", "put_if_absent"])
    def test_the_completing_answer_is_lost(self, bench: Bench, put: str) -> None:
        """The object is there: that is success, no part is sent twice."""
        bench.fail(Fault("lose", "POST", COMPLETE))
        getattr(bench.store, put)(KEY, LARGE)
        assert bench.proxy.count("PUT", PARTS) == 3
        assert bench.straight.get(KEY) == LARGE

    @pytest.mark.parametrize("put", ["put", "put_if_absent"])
    def test_completed_and_forgotten(self, bench: Bench, put: str) -> None:
        """A service that knows no upload any more once it is complete is believed."""
        bench.fail(
            Fault("lose", "POST", COMPLETE),
            Fault("answer", "POST", COMPLETE, status=404, body=NO_SUCH_UPLOAD),
        )
        getattr(bench.store, put)(KEY, LARGE)
        assert bench.proxy.count("PUT", PARTS) == 3
        assert bench.straight.get(KEY) == LARGE

    def test_an_upload_that_was_given_up_begins_anew(self, bench: Bench) -> None:
        """Where nothing was completed, all parts are sent again, once."""
        bench.fail(gone(PARTS, times=1))
        bench.store.put_if_absent(KEY, LARGE)
        assert bench.straight.get(KEY) == LARGE
        bench.fail(gone(PARTS, times=9))
        with pytest.raises(StoreUnavailable, match="NoSuchUpload"):
            bench.store.put("other", LARGE)

    def test_a_service_that_lists_no_uploads(self, bench: Bench) -> None:
        """It gets the whole anew."""
        bench.fail(Fault("answer", "GET", "?uploads", times=9, status=501))
        bench.store.put_if_absent(KEY, LARGE)
        assert bench.straight.get(KEY) == LARGE

    def test_another_object_comes_meanwhile(self, bench: Bench) -> None:
        """Whoever completes first is kept; the other's parts are given up."""
        bench.fail(Fault("answer", "HEAD", status=404))
        bench.straight.put(KEY, b"them")
        with pytest.raises(ObjectExists):
            bench.store.put_if_absent(KEY, LARGE)
        assert bench.straight.get(KEY) == b"them"
        assert bench.uploads() == []

    def test_stale_uploads_are_removed(self, bench: Bench) -> None:
        """What is older than asked for goes, younger ones and objects stay."""
        bench.fail(Fault("answer", "PUT", "partNumber=3", times=9))
        with pytest.raises(StoreUnavailable):
            bench.store.put(KEY, LARGE)
        bench.straight.put("object", b"x")
        now = datetime.now(UTC)
        assert bench.straight.abort_stale(now - timedelta(hours=1)) == ()
        assert bench.straight.abort_stale(now + timedelta(hours=1)) == (KEY,)
        assert bench.uploads() == []
        assert [info.key for info in bench.straight.list()] == ["object"]


class TestService:
    """What services do otherwise than AWS, and what people configure wrongly."""

    def test_a_service_without_conditions(self, bench: Bench) -> None:
        """One that refuses the condition gets none; what is there is still kept."""
        bench.fail(Fault("answer", "PUT", status=501))
        bench.store.put_if_absent(KEY, b"first")
        with pytest.raises(ObjectExists):
            bench.store.put_if_absent(KEY, b"second")
        assert bench.straight.get(KEY) == b"first"

    def test_an_object_of_other_tools(self, bench: Bench) -> None:
        """A copy without our digest is read and compared."""
        full = f"{bench.server.prefix}/{KEY}"
        bench.client.put_object(Bucket=BUCKET, Key=full, Body=b"same")
        bench.store.put_if_absent(KEY, b"same")
        with pytest.raises(ObjectExists):
            bench.store.put_if_absent(KEY, b"else")

    def test_checksums_by_md5(self, seaweed: Seaweed) -> None:
        """Where SHA-256 is not wanted, small and large objects are stored as well."""
        store = S3Store(seaweed.settings(checksums="when_required"))
        store.put_if_absent(KEY, b"small")
        store.put_if_absent("large", LARGE)
        assert store.get(KEY) == b"small"
        assert store.get("large") == LARGE

    def test_what_is_asked_for_each_object(self, bench: Bench) -> None:
        """Storage class and encryption go with small and large objects."""
        given = {"storage_class": "STANDARD_IA", "sse": "AES256"}
        store = S3Store(bench.server.settings(**given))
        store.put(KEY, b"small")
        store.put("large", LARGE)
        for key in (KEY, "large"):
            assert bench.kept(key)["StorageClass"] == "STANDARD_IA"
            assert bench.kept(key)["ServerSideEncryption"] == "AES256"

    def test_many_objects_are_listed_page_by_page(self, bench: Bench) -> None:
        """More than one page of keys comes complete and sorted."""
        page = bench.store._bucket.pages
        small = {"PaginationConfig": {"PageSize": 3}}
        bench.store._bucket.pages = lambda name, **x: page(name, **x, **small)  # type: ignore[method-assign]
        keys = sorted(f"{a}{b}{n}" for n in range(3) for a in "ab" for b in "/-x")
        for key in keys:
            bench.straight.put(key, b"x")
        assert [info.key for info in bench.store.list()] == keys
        assert bench.proxy.count("GET", "list-type=2") > 5

    @pytest.mark.parametrize(
        ("variable", "value", "match"),
        [
            ("AWS_SECRET_ACCESS_KEY", "wrong-secret", "secret key does not fit"),
            ("AWS_ACCESS_KEY_ID", "wrong-key", "does not know the access key"),
        ],
    )
    def test_wrong_credentials(
        self,
        seaweed: Seaweed,
        monkeypatch: pytest.MonkeyPatch,
        variable: str,
        value: str,
        match: str,
    ) -> None:
        """They are refused for good, named by no text of theirs."""
        monkeypatch.setenv(variable, value)
        store = S3Store(seaweed.settings())
        with pytest.raises(StoreRefused, match=match) as caught:
            store.put(KEY, b"x")
        assert not caught.value.retryable
        assert seaweed.url in str(caught.value)
        for secret in (value, SECRET):
            assert secret not in str(caught.value)

    def test_half_of_the_credentials(
        self, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What misses is said before anything is asked."""
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(ConfigError, match="AWS_SECRET_ACCESS_KEY"):
            S3Store(seaweed.settings())

    def test_no_credentials(
        self, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The message says what to set."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        with pytest.raises(StoreRefused, match="set AWS_ACCESS_KEY_ID"):
            S3Store(seaweed.settings()).put(KEY, b"x")

    def test_no_such_bucket(self, seaweed: Seaweed) -> None:
        """A misspelt bucket is refused, not made, and found at the first look."""
        store = S3Store(seaweed.settings(url="s3://portalkep/x"))
        for put in (store.put, store.put_if_absent):
            with pytest.raises(StoreRefused, match="misspelt"):
                put(KEY, b"x")
        with pytest.raises(StoreRefused, match="portalkep"):
            list(store.list())
        with pytest.raises(StoreRefused, match="portalkep"):
            store.get(KEY)
        with pytest.raises(ConfigError, match="NoSuchBucket"):
            probe(store)

    @pytest.mark.parametrize(
        "url", ["s3://", "s3://b", "s3://key:secret@bucket/x", "s3://bucket//x"]
    )
    def test_what_is_no_bucket(self, aws: None, url: str) -> None:
        """It is an error of the configuration that repeats no secret."""
        with pytest.raises(ConfigError, match="no s3://bucket/prefix") as caught:
            open_store(StoreSettings(url=url))
        assert "secret" not in str(caught.value)

    def test_open_store(self, seaweed: Seaweed) -> None:
        """The URL's scheme decides; keys lie below the prefix, or none."""
        store = open_store(seaweed.settings())
        assert isinstance(store, S3Store)
        assert store.place == f"{seaweed.url}/{BUCKET}/{seaweed.prefix}"
        store.put("a/b", b"x")
        top = open_store(seaweed.settings(url=f"s3://{BUCKET}"))
        assert top.get(f"{seaweed.prefix}/a/b") == b"x"
        top.delete(f"{seaweed.prefix}/a/b")
        assert list(store.list()) == []

    def test_a_source_that_is_not_there(self, seaweed: Seaweed, tmp_path: Path) -> None:
        """A local file that cannot be read leaves nothing in the bucket."""
        store = S3Store(seaweed.settings())
        for put in (store.put, store.put_if_absent):
            with pytest.raises(StoreUnavailable, match="p-1"):
                put(KEY, tmp_path / "no such source")
        assert list(store.list()) == []


class TestProbe:
    """The first look at a service."""

    def test_a_good_service(self, bench: Bench) -> None:
        """It is found good, and nothing is left behind."""
        seen = probe(bench.store)
        assert seen.creates_once
        assert seen.place == bench.store.place
        assert list(bench.straight.list()) == []

    def test_a_service_is_looked_at_once(self, bench: Bench) -> None:
        """The next store of the same place asks nothing."""
        first = probe_once(bench.store)
        bench.fail()
        again = S3Store(bench.server.settings(bench.proxy.url))
        assert probe_once(again) == first
        assert bench.proxy.seen == []

    def test_a_service_that_ignores_conditions(self, bench: Bench) -> None:
        """It is known that the second put would win."""
        bench.fail(
            Fault("answer", "HEAD", "-once", status=404),
            Fault("answer", "PUT", "-once", times=2, status=200),
        )
        assert not probe(bench.store).creates_once

    @pytest.mark.parametrize(
        ("body", "match"),
        [
            (b"1000;chunk-signature=0\r\nbytes", "other bytes"),
            (b"", "other bytes"),
        ],
    )
    def test_bytes_that_come_back_changed(
        self, bench: Bench, body: bytes, match: str
    ) -> None:
        """A service that stores the framing cannot keep an archive."""
        bench.fail(Fault("answer", "GET", "probe", times=9, status=200, body=body))
        with pytest.raises(ConfigError, match=match):
            probe(bench.store)

    def test_a_service_that_is_away(self, seaweed: Seaweed) -> None:
        """That may pass, and is not remembered."""
        (port,) = free_ports(1)
        store = S3Store(seaweed.settings(f"http://127.0.0.1:{port}"))
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="cannot be reached"):
                probe_once(store)

    def test_a_crawl_is_not_begun_on_what_cannot_keep_it(
        self, seaweed: Seaweed, tmp_path: Path
    ) -> None:
        """A misspelt bucket ends a crawl before anything is fetched or spooled."""
        settings = Settings(
            store=seaweed.settings(url="s3://portalkep/x"),
            spool=SpoolSettings(path=str(tmp_path / "spool")),
        )
        with ExitStack() as stack, pytest.raises(ConfigError, match="portalkep"):
            begin(stack, settings, Portal(id="news"), SystemClock())
        assert not list(tmp_path.rglob("spool.sqlite"))

    def test_doctor_looks_at_the_bucket(self, seaweed: Seaweed, tmp_path: Path) -> None:
        """It says which place was looked at, or what is wrong with it."""
        spool = SpoolSettings(path=str(tmp_path / "spool"))
        good = Settings(store=seaweed.settings(), spool=spool)
        wrong = Settings(store=seaweed.settings(url="s3://portalkep/x"), spool=spool)
        found = {one.name: one for one in diagnose_places(good)}["store"]
        assert found.is_ok
        assert f"{seaweed.url}/{BUCKET}/{seaweed.prefix}" in found.what
        found = {one.name: one for one in diagnose_places(wrong)}["store"]
        assert found.exit_code == 3
