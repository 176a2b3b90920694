import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.article.tickers import strip_markup, tickers_in
from crawler.item import Ticker


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$Meta Platforms (META.US)$ 公司", ("META.US", "Meta Platforms", "US", 1)),
        ("在$甲骨文 (ORCL.US)$公司", ("ORCL.US", "甲骨文", "US", 1)),
        ("$Harbor Line-B (HLB.B.US)$", ("HLB.B.US", "Harbor Line-B", "US", 1)),
        ("$Alphabet (A) (GOOG.US)$", ("GOOG.US", "Alphabet (A)", "US", 1)),
        ("$贵州茅台(SH600519)$", ("600519.SH", "贵州茅台", "SH", 1)),
        ("$比特幣 (BTC.CC)$", ("BTC.CC", "比特幣", "CC", 1)),
        ("$12 million，$遠洲 (02999.HK)$", ("02999.HK", "遠洲", "HK", 1)),
        ("$苹果(AAPL)$", ("AAPL", "苹果", None, 1)),
        ("看好 $AAPL$", ("AAPL", None, None, 1)),
        ("腾野汽车（09871.HK）周二", ("09871.HK", "腾野汽车", "HK", 1)),
        ("召回。腾野汽车 (09871.HK)", ("09871.HK", "腾野汽车", "HK", 1)),
        ("“腾野汽车”（09871.HK）", ("09871.HK", "腾野汽车", "HK", 1)),
        ("of Norvane Robotics (NVRN.US)", ("NVRN.US", "Norvane Robotics", "US", 1)),
        ("Apple (NASDAQ: AAPL) rose", ("AAPL.US", "Apple", "US", 1)),
        ("(SH600519)", ("600519.SH", None, "SH", 1)),
        ("关注 00700.HK 走势", ("00700.HK", None, "HK", 1)),
        ("买NVRN.US？", None),
        ("(HK00700)", ("00700.HK", None, "HK", 1)),
    ],
)
def test_one_security(
    text: str, found: tuple[str, str | None, str | None, int] | None
) -> None:
    """Each way of naming a security gives its symbol, name and market."""
    expected = []
    if found:
        symbol, name, market, mentions = found
        expected = [Ticker(symbol=symbol, name=name, market=market, mentions=mentions)]
    assert list(tickers_in(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "按每兆瓦 $12 million 的造價估算",
        "（本文提到的 (SEA) 為機場代碼，並非股票。）",
        "$5 (US)$ and $6",
        "$12 million (USD)$",
        "Version 2.0.US-3",
        "WWW.EXAMPLE.HK",
        "from $20 to $30 (AP)",
        "",
    ],
)
def test_no_security(text: str) -> None:
    """Money, abbreviations and host names are no securities."""
    assert tickers_in(text) == ()


def test_mentions_are_counted_by_symbol() -> None:
    """Several mentions are one security; the first known name stays."""
    text = "00700.HK；腾讯控股（00700.HK）与$腾讯 (00700.HK)$，$甲骨文 (ORCL.US)$"
    assert tickers_in(text) == (
        Ticker(symbol="00700.HK", name="腾讯控股", market="HK", mentions=3),
        Ticker(symbol="ORCL.US", name="甲骨文", market="US", mentions=1),
    )


def test_a_run_too_long_for_a_name_is_none() -> None:
    """Prose that runs up to the bracket gives no name rather than a piece of it."""
    text = "公司昨日宣布将以现金方式全资收购竞争对手腾野汽车（09871.HK）"
    assert tickers_in(text)[0].name is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("$Meta Platforms (META.US)$ 公司", "Meta Platforms (META.US) 公司"),
        ("$遠洲 (02999.HK)$，$甲 (00001.HK)$", "遠洲 (02999.HK)，甲 (00001.HK)"),
        ("看好 $AAPL$", "看好 AAPL"),
        ("$12 million and $13 million", "$12 million and $13 million"),
        ("腾野（09871.HK）", "腾野（09871.HK）"),
    ],
)
def test_strip_markup(text: str, plain: str) -> None:
    """The dollar signs of the markup go, name and symbol stay."""
    assert strip_markup(text) == plain


@given(text=st.text("$ABC.US()（） 遠洲12\n", max_size=60))
def test_stripping_twice_is_stripping_once(text: str) -> None:
    """Stripped text names no fewer symbols, and nothing is raised on any text."""
    plain = strip_markup(text)
    assert len(plain) <= len(text)
    assert all(ticker.mentions > 0 for ticker in tickers_in(plain))


def test_fixture_portals(shared: Path) -> None:
    """Each security of the fixture portals' items is found in their texts."""
    folder = shared / "fixtures/portals"
    wanted = {}
    for name in ("futu-like", "zaker-like", "fishai-like"):
        manifest = json.loads((folder / name / "manifest.json").read_text("utf-8"))
        for item in manifest["items"]:
            found = {each.symbol: each for each in tickers_in(item["body_text"])}
            for ticker in item["tickers"]:
                wanted[ticker["symbol"]] = found[ticker["symbol"]].name, ticker["name"]
            assert found.keys() == {ticker["symbol"] for ticker in item["tickers"]}
    assert len(wanted) >= 8
