"""The contract of a store, run over every kind of it."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.archive.store import LocalStore, ObjectInfo, Store, check_key, open_store
from crawler.archive.store.s3 import S3Store
from crawler.config.settings import StoreSettings
from crawler.errors import ConfigError, ObjectExists, ObjectMissing, StoreUnavailable
from tests.archive.seaweed import Seaweed, free_ports

KEY = "archive/p/2025/07/p-1.warc.gz"
LARGE_BYTES = 20_000_000
RACES = {"local": 20, "s3": 3}  # the server's own lock makes racers wait


def local_store(request: pytest.FixtureRequest, place: Path) -> Store:
    """Make a store in a directory that is not there yet."""
    return LocalStore(place / "deep" / "store")


def local_store_away(request: pytest.FixtureRequest, place: Path) -> Store:
    """Make a store that takes nothing: a file stands where its directory would be."""
    (place / "file").write_bytes(b"")
    return LocalStore(place / "file" / "store")


def s3_store(request: pytest.FixtureRequest, place: Path) -> Store:
    """Make a store in a prefix of its own of a real server."""
    server: Seaweed = request.getfixturevalue("seaweed")
    return S3Store(server.settings())


def s3_store_away(request: pytest.FixtureRequest, place: Path) -> Store:
    """Make a store of a server that is not there."""
    request.getfixturevalue("aws")
    (port,) = free_ports(1)
    return S3Store(Seaweed(port).settings())


Factory = Callable[[pytest.FixtureRequest, Path], Store]
# A kind of store, and the same kind with its server gone.
FACTORIES: dict[str, tuple[Factory, Factory]] = {
    "local": (local_store, local_store_away),
    "s3": (s3_store, s3_store_away),
}


@pytest.fixture(params=sorted(FACTORIES))
def kind(request: pytest.FixtureRequest) -> str:
    """Name the kind of store the suite runs over."""
    return str(request.param)


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Give an empty store."""
    return FACTORIES[kind][0](request, tmp_path)


@pytest.fixture
def away(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Give a store that cannot be written."""
    return FACTORIES[kind][1](request, tmp_path)


@pytest.fixture(params=["bytes", "file"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., object]:
    """Give what makes bytes a source: themselves, or a file of them."""

    def made(content: bytes) -> Path | bytes:
        if request.param == "bytes":
            return content
        path = tmp_path / f"source-{hashlib.sha256(content).hexdigest()}"
        path.write_bytes(content)
        return path

    return made


Source = Callable[[bytes], Path | bytes]


class TestContract:
    """What every store promises."""

    @pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 9_000])
    def test_what_was_put_is_got(
        self, store: Store, source: Source, content: bytes
    ) -> None:
        """Bytes come back as they were, empty ones too, whatever they came from."""
        store.put(KEY, source(content))
        store.put_if_absent("other/key", source(content))
        assert store.get(KEY) == store.get("other/key") == content
        assert store.head(KEY) == ObjectInfo(KEY, len(content))

    def test_put_replaces(self, store: Store, source: Source) -> None:
        """A put stands, shorter or longer than what was there."""
        for content in (b"first", b"x", b"the longest of all"):
            store.put(KEY, source(content))
            assert store.get(KEY) == content

    def test_a_source_file_is_left_alone(self, store: Store, tmp_path: Path) -> None:
        """The local copy stays, and changing it later does not change the object."""
        path = tmp_path / "segment"
        path.write_bytes(b"stored")
        store.put(KEY, path)
        store.put_if_absent("other", path)
        path.write_bytes(b"later!")
        assert store.get(KEY) == store.get("other") == b"stored"

    def test_create_once_takes_the_same_twice(
        self, store: Store, source: Source
    ) -> None:
        """Putting again after a lost answer is success."""
        store.put_if_absent(KEY, source(b"same"))
        store.put_if_absent(KEY, source(b"same"))
        assert store.get(KEY) == b"same"

    @pytest.mark.parametrize("other", [b"othr", b"", b"same and more"])
    def test_create_once_keeps_the_first(
        self, store: Store, source: Source, other: bytes
    ) -> None:
        """Another content under the same key is refused, what was there stays."""
        store.put_if_absent(KEY, source(b"same"))
        with pytest.raises(ObjectExists, match="p-1"):
            store.put_if_absent(KEY, source(other))
        assert store.get(KEY) == b"same"
        assert [x.key for x in store.list()] == [KEY]

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [
            (0, None, b"0123456789"),
            (3, None, b"3456789"),
            (3, 4, b"3456"),
            (0, 10, b"0123456789"),
            (8, 100, b"89"),
            (9, 1, b"9"),
            (10, 5, b""),
            (50, 5, b""),
            (50, None, b""),
            (2, 0, b""),
        ],
    )
    def test_ranges(
        self, store: Store, start: int, length: int | None, expected: bytes
    ) -> None:
        """A range is cut at the object's end and empty beyond it."""
        store.put(KEY, b"0123456789")
        assert store.get(KEY, start, length) == expected

    @pytest.mark.parametrize(
        "key", ["absent", "archive", "archive/p", "archive/", f"{KEY}/below"]
    )
    def test_what_is_not_there(self, store: Store, key: str) -> None:
        """Neither a missing key nor the begin of one is an object."""
        store.put(KEY, b"x")
        if key.endswith("/"):
            with pytest.raises(ValueError, match="no object key"):
                store.get(key)
            return
        with pytest.raises(ObjectMissing, match=key):
            store.get(key)
        with pytest.raises(ObjectMissing):
            store.get(key, 1, 2)
        assert store.head(key) is None
        store.delete(key)
        assert store.get(KEY) == b"x"

    def test_an_empty_store(self, store: Store) -> None:
        """A store nobody put anything into is empty, not away."""
        assert list(store.list()) == []
        assert list(store.list("archive/")) == []
        assert store.head(KEY) is None
        store.delete(KEY)
        with pytest.raises(ObjectMissing):
            store.get(KEY)

    def test_list_is_sorted_by_key_bytes(self, store: Store) -> None:
        """All keys in the order of their bytes, with sizes, directories unseen."""
        keys = ["b", "a/c", "a.x", "a-x", "a/b/c", "A", "é", "z", "中", "𝄞", "\uffee"]
        for size, key in enumerate(keys):
            store.put(key, b"x" * size)
        found = list(store.list())
        assert [x.key for x in found] == sorted(keys, key=str.encode)
        assert {x.key: x.size for x in found} == {k: n for n, k in enumerate(keys)}

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("", ["a/b/1", "a/b/2", "a/bc", "b"]),
            ("a/b/", ["a/b/1", "a/b/2"]),
            ("a/b", ["a/b/1", "a/b/2", "a/bc"]),
            ("a/b/1", ["a/b/1"]),
            ("a/b/1/", []),
            ("c", []),
            ("c/d/", []),
            ("A", []),
            ("/", []),
            ("/tmp/", []),
            ("../", []),
            ("a//", []),
            ("a/../", []),
            (".", []),
        ],
    )
    def test_list_by_prefix(
        self, store: Store, prefix: str, expected: list[str]
    ) -> None:
        """A prefix is the begin of a key, not a directory, and never leads out."""
        for key in ("a/b/1", "a/b/2", "a/bc", "b"):
            store.put(key, b"x")
        assert [x.key for x in store.list(prefix)] == expected

    def test_delete(self, store: Store) -> None:
        """A deleted object is gone, its neighbours stay, its key may be used again."""
        store.put(KEY, b"x")
        store.put("archive/p/2025/07/p-2.warc.gz", b"y")
        store.delete(KEY)
        store.delete(KEY)
        assert store.head(KEY) is None
        assert [x.key for x in store.list()] == ["archive/p/2025/07/p-2.warc.gz"]
        store.put_if_absent(KEY, b"another")
        assert store.get(KEY) == b"another"

    @pytest.mark.parametrize(
        "key",
        ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", ".a", "a/.b", "a\0"],
    )
    def test_keys_that_are_refused(self, store: Store, key: str) -> None:
        """What could leave the store, or hide in it, is no key to any operation."""
        for ask in (store.get, store.head, store.delete):
            with pytest.raises(ValueError, match="no object key"):
                ask(key)
        for put in (store.put, store.put_if_absent):
            with pytest.raises(ValueError, match="no object key"):
                put(key, b"x")
        assert list(store.list()) == []

    def test_a_store_that_is_away(self, away: Store, source: Source) -> None:
        """What could not be stored says so; a directory that is a file is final."""
        for put in (away.put, away.put_if_absent):
            with pytest.raises(StoreUnavailable, match="p-1") as caught:
                put(KEY, source(b"x"))
            assert caught.value.exit_code == 5
            assert caught.value.retryable is not isinstance(away, LocalStore)

    def test_a_reader_sees_all_or_nothing(self, store: Store, tmp_path: Path) -> None:
        """While a large object is put or replaced no reader sees part of one."""
        old, new = b"a" * LARGE_BYTES, b"b" * (LARGE_BYTES + 1)
        whole = {len(old): b"a", len(new): b"b"}
        done = threading.Event()
        sizes: set[int | None] = set()

        def read() -> None:
            while not done.is_set():
                info = store.head(KEY)
                sizes.add(info.size if info else None)
                if info:
                    content = store.get(KEY)
                    assert content == whole[len(content)] * len(content)
                sizes.update(x.size for x in store.list())

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(read)
            try:
                store.put_if_absent(KEY, old)
                store.put(KEY, new)
            finally:
                done.set()
            reader.result(timeout=60)
        assert sizes <= {None, *whole}
        assert store.get(KEY) == new

    def test_of_racing_writers_one_wins(self, store: Store, kind: str) -> None:
        """One content is stored, and its writer alone is told so."""
        contents = [f"writer {n}".encode() for n in range(16)]
        keys = [f"race/{n}" for n in range(RACES[kind])]
        together = threading.Barrier(len(contents), timeout=30)

        def write(content: bytes) -> set[str]:
            won: set[str] = set()
            for key in keys:
                together.wait()
                with contextlib.suppress(ObjectExists):
                    store.put_if_absent(key, content)
                    won.add(key)
            return won

        with ThreadPoolExecutor(len(contents)) as pool:
            won = list(pool.map(write, contents, timeout=60))
        for key in keys:
            winners = [one for one, of in zip(contents, won, strict=True) if key in of]
            assert winners == [store.get(key)]
        assert [x.key for x in store.list()] == sorted(keys)


class TestLocalStore:
    """What a directory promises beyond the contract."""

    def test_nothing_else_is_left_behind(self, tmp_path: Path) -> None:
        """Refused, replaced and failed puts leave no file beside the object."""
        store = LocalStore(tmp_path)
        store.put_if_absent(KEY, b"x")
        store.put(KEY, b"y")
        with pytest.raises(ObjectExists):
            store.put_if_absent(KEY, b"z")
        with pytest.raises(StoreUnavailable):
            store.put(KEY, tmp_path / "no such source")
        assert [x.name for x in (tmp_path / KEY).parent.iterdir()] == ["p-1.warc.gz"]

    def test_what_a_crash_left_is_no_object(self, tmp_path: Path) -> None:
        """A half-written file, and what others hide in the directory, is not listed."""
        store = LocalStore(tmp_path)
        store.put(KEY, b"x")
        (tmp_path / KEY).with_name(".p-2.warc.gz.0a1b2c.new").write_bytes(b"half")
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "config").write_bytes(b"")
        assert [x.key for x in store.list()] == [KEY]

    def test_stale_leftovers_are_removed(self, tmp_path: Path) -> None:
        """What a crash left before a time goes; objects and what others hide stay."""
        store = LocalStore(tmp_path)
        store.put(KEY, b"x")
        (tmp_path / KEY).with_name(".p-2.warc.gz.0a1b2c3d4e5f.new").write_bytes(b"half")
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / ".x.new").write_bytes(b"")
        now = datetime.now(UTC)
        assert store.abort_stale(now - timedelta(hours=1)) == ()
        stale = KEY.replace("p-1", "p-2")
        assert store.abort_stale(now + timedelta(hours=1)) == (stale,)
        left = sorted(x.name for x in tmp_path.rglob("*") if x.is_file())
        assert left == [".x.new", "p-1.warc.gz"]

    def test_a_directory_in_the_way(self, tmp_path: Path) -> None:
        """Where keys run through each other the later put fails, none is lost."""
        store = LocalStore(tmp_path)
        store.put("a/b", b"x")
        for key in ("a", "a/b/c"):
            for put in (store.put, store.put_if_absent):
                with pytest.raises(StoreUnavailable):
                    put(key, b"y")
        assert [x.key for x in store.list()] == ["a/b"]

    @pytest.mark.parametrize("form", ["{}", "file://{}"])
    def test_open_store(self, tmp_path: Path, form: str) -> None:
        """A path or a file URL names a directory."""
        store = open_store(StoreSettings(url=form.format(tmp_path / "s")))
        store.put("a", b"x")
        assert (tmp_path / "s" / "a").read_bytes() == b"x"

    def test_open_what_is_no_store(self) -> None:
        """A kind of store that we do not have is an error of the configuration."""
        with pytest.raises(ConfigError, match="ftp"):
            open_store(StoreSettings(url="ftp://x/y"))

    def test_check_key_returns_the_key(self) -> None:
        """A key may hold whatever else a name may."""
        for key in ("a", "a/b.c", "a b/中/x..y", "a./-"):
            assert check_key(key) == key
