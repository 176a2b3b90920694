import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.article.lines import (
    editor_in,
    emoji_lead,
    is_heading,
    is_notice,
    is_promo,
    is_quote,
    is_section_label,
    is_template_leak,
    original_title_in,
    source_in,
)

NEWS = [
    "应急部门提醒居民提前加固阳台物品，避免前往海边观潮。",
    "旅客在闸机前扫描二维码即可登船，无须换取纸质船票。",
    "公司表示，用户下载客户端后可以查询列车时刻。",
    "平台称将关注未成年人的使用时长，并每周公布一次数据。",
    "編輯部在聲明中說，兩名記者已獲釋。",
    "他点击了链接，账户里的钱随即被转走。",
    "该报告不构成对任何机构的评价，作者在序言中写道。",
    "The minister said the app would be ready to download in June.",
    "Follow-up talks are due on Monday.",
    "Related costs rose by a third.",
    "相关文章已由校方撤下。",
    "http://example.org/a.html",
    "Node.js",
]
LEAKS = [
    "index_new5.html",
    "../../../zaker_core/zaker_tpl_static/wap/tpl_guoji1.html",
    "./inc/head.php",
    "/wap/list.tpl",
    " top.shtml ",
    "{{ article.title }}",
    "${item.name}",
    "undefined",
    "[object Object]",
]
PROMOS = [
    "投資總是踩地雷?問牛牛AI!精準解答,全方位洞察,掌握關鍵機會!",
    "投資決策拿不準？問問鯨牛AI！精準解答，全方位洞察！",
    "想看更多召回信息？打开快讯App一键订阅！",
    "打开App 阅读更流畅",
    "下載App",
    "立即下载新闻客户端，第一时间看快讯",
    "扫码关注我们",
    "長按識別二維碼，加入讀者群",
    "请扫描下方二维码下载",
    "关注微信公众号：滨海晚报",
    "歡迎訂閱我們的頻道",
    "点击下方链接查看更多",
    "點擊這裡訂閱電子報",
    "点赞、在看、转发三连",
    "原网页已经由读客转码排版， 查看原文",
    "查看原文",
    "下一页",
    "上一篇：老厂房变身社区图书馆",
    "首页 | 触屏版 | 客户端下载",
    "返回频道",
    "Download our free app",
    "Sign up for our morning newsletter",
    "Follow us on social media",
    "Please enable JavaScript",
]
NOTICES = [
    "風險及免責提示：以上內容僅代表作者個人立場，不構成任何投資建議。",
    "免责声明：本文仅代表作者个人观点。",
    "本文不构成投资建议，据此操作风险自担。",
    "版权所有，未经授权不得转载",
    "未經許可，不得轉載",
    "转载请注明出处",
    "© 2025 Example Press. All rights reserved.",
    "Disclaimer: views are the author's own.",
]
LABELS = [
    "相关阅读",
    "相關閲讀",
    "相关文章：",
    "热门推荐",
    "延伸閱讀",
    "猜你喜欢",
    "相关标签",
    "【推荐阅读】",
    "更多新聞",
    "Related articles",
    "Read more",
    "Advertisement",
]


@pytest.mark.parametrize("line", NEWS)
def test_news_is_left_alone(line: str) -> None:
    """A sentence that tells of apps, codes or editors is no furniture."""
    rules = (is_template_leak, is_promo, is_notice, is_section_label, editor_in)
    assert [rule.__name__ for rule in rules if rule(line)] == []


@pytest.mark.parametrize("line", LEAKS)
def test_template_leaks(line: str) -> None:
    """A line that is only a template's path or placeholder is a leak."""
    assert is_template_leak(line)


@pytest.mark.parametrize("line", PROMOS)
def test_promos(line: str) -> None:
    """A line that sends the reader off to an app, a code or a page is a promo."""
    assert is_promo(line)


@pytest.mark.parametrize("line", NOTICES)
def test_notices(line: str) -> None:
    """Copyright, disclaimer and risk lines are notices."""
    assert is_notice(line)


@pytest.mark.parametrize("line", LABELS)
def test_section_labels(line: str) -> None:
    """A line that only names a list beside the text is a label."""
    assert is_section_label(line)


@pytest.mark.parametrize(
    ("line", "editor"),
    [
        ("编辑/罗青", "罗青"),
        ("編輯/danial", "danial"),
        ("编辑：张三、李四", "张三、李四"),
        ("责任编辑：许墨", "许墨"),
        ("責任編輯｜林可  校對：王五", "林可"),
        ("(责编 许墨)", "许墨"),
        ("（责任编辑：王砚 HN001）", "王砚"),
        ("[责任编辑：alonliu]", "alonliu"),
        ("来源：新华网  编辑：张三", "张三"),
        ("Edited by Jane Doe", "Jane Doe"),
        ("Editor: Jane Doe", "Jane Doe"),
        ("责任编辑：", None),
        ("编辑部发布公告", None),
        ("编辑了一份文件", None),
        ("他说，编辑：不行。", None),
    ],
)
def test_editor(line: str, editor: str | None) -> None:
    """A line that says nothing but the editor gives the name."""
    assert editor_in(line) == editor


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("2025-07-14 19:05　来源：城市周报", "城市周报"),
        ("文章來源：智通財經 | 作者：梁", "智通財經"),
        ("（来源：新华网）", "新华网"),
        ("Source: Reuters", "Reuters"),
        ("资金来源：不明", None),
        ("没有别的", None),
    ],
)
def test_source(line: str, source: str | None) -> None:
    """A line of details gives the source it names."""
    assert source_in(line) == source


def test_original_title() -> None:
    """A line that tells the original's title gives it."""
    assert (
        original_title_in("（原标题：老厂房变身社区图书馆）") == "老厂房变身社区图书馆"
    )
    assert original_title_in("原標題: 甲乙") == "甲乙"
    assert original_title_in("原标题有误") is None


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ("「我們把第一期叫做『潮汐』，它會先服務內部模型訓練。」", True),
        ("“我们选择主动公开，是因为安全没有等待期。”", True),
        ("『沒有等待期。』", True),
        ('"We stopped heating empty space."', True),
        ("“We stopped heating empty space,” said plant manager Ida Brandt.", False),
        ("“万里同舟——海上丝路瓷器展”周六在滨海博物馆开幕。", False),
        ("「過早」與「太晚」", False),
        ('"one" and "two"', False),
        ("「」", False),
        ("「沒有完", False),
    ],
)
def test_quote(line: str, quoted: bool) -> None:
    """A line is a quote where one pair of marks holds all of it."""
    assert is_quote(line) is quoted


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("用電從哪裏來", True),
        ("將投入「數千億美元」,目標AGI", True),
        ("运力会不会再减？", True),
        ("Delay of half a second", True),
        ("延迟半秒。", False),
        ("公司說：", False),
        ("他来了。她走了", False),
        ("「安全沒有等待期」", False),
        ("12", False),
        ("", False),
        ("字" * 41, False),
    ],
)
def test_heading(line: str, heading: bool) -> None:
    """A short phrase without a full stop may be a heading."""
    assert is_heading(line) is heading


@pytest.mark.parametrize(
    ("line", "emoji", "rest"),
    [
        ("🚀 Meta计划投资", "🚀", "Meta计划投资"),
        ("🛡️ 公司表示", "🛡️", "公司表示"),
        ("🛡公司表示", "🛡", "公司表示"),
        ("⚡ 单位能耗", "⚡", "单位能耗"),
        ("👩‍🔬 研究人员", "👩‍🔬", "研究人员"),
        ("👍🏽 支持", "👍🏽", "支持"),
        ("🇭🇰 香港", "🇭🇰", "香港"),
        ("1️⃣ 第一", "1️⃣", "第一"),
        ("　🏺　试验", "🏺", "试验"),
        ("✅✅ 两个", "✅", "✅ 两个"),
    ],
)
def test_emoji_lead(line: str, emoji: str, rest: str) -> None:
    """The emoji at a line's start comes apart from its text, however it is built."""
    assert emoji_lead(line) == (emoji, rest)


@pytest.mark.parametrize(
    "line", ["", "🚀", "没有 🚀", "1 第一", "● 点", "© 2025", "→ 去"]
)
def test_no_emoji_lead(line: str) -> None:
    """Digits, bullets and signs are no emoji; neither is one without text."""
    assert emoji_lead(line) is None


@given(line=st.text(max_size=200))
def test_any_line(line: str) -> None:
    """Any text is told about without an error, and none is a leak and a quote."""
    assert not (is_template_leak(line) and is_quote(line))
    for rule in (is_promo, is_notice, is_section_label, is_heading):
        assert rule(line) in {True, False}
    for reader in (editor_in, source_in, original_title_in, emoji_lead):
        assert reader(line) != ""
