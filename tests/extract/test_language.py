import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.document.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("数据", "zh-Hans"),
        ("數據", "zh-Hant"),
        ("富途牛牛头条", "zh-Hans"),
        ("证券时报快讯", "zh-Hans"),
        ("Meta將投數千億美元建全球最大數據中心", "zh-Hant"),
        ("公司 OpenAI 发布 GPT，訂閱價格不變", "zh-Hant"),
        ("列車は六月に運転を始めます", "ja"),
        ("이 열차는 유월에 운행을 시작합니다", "ko"),
        ("Министерство сообщило об этом вчера", "ru"),
        ("Міністерство повідомило про це їхнім колегам", "uk"),
        ("Η κυβέρνηση ανακοίνωσε νέα μέτρα", "el"),
        ("รถไฟสายนี้จะเริ่มให้บริการ", "th"),
        ("أعلنت الحكومة عن إجراءات جديدة في المدينة", "ar"),
        ("הממשלה הודיעה על צעדים חדשים", "he"),
        ("Small kilns cut energy use by a third, trial shows", "en"),
        ("Yuanzhou to spend over HK$10 billion on data centers", "en"),
        ("Bilingual spending costs", None),
        ("The bridge over the river is closed for repairs", "en"),
        ("Die Brücke über den Fluss ist für die Autos gesperrt", "de"),
        ("Le pont sur la rivière est fermé pour les voitures", "fr"),
        ("El puente sobre el río está cerrado para los coches", "es"),
        ("A ponte sobre o rio não está aberta para os carros", "pt"),
        ("Il ponte sul fiume è chiuso per una settimana", "it"),
        ("Most jest zamknięty i nie wiadomo do kiedy", "pl"),
        ("De brug over het water is dicht voor een week", "nl"),
        ("Köprü bu hafta için kapalı ve trafik çok yoğun", "tr"),
    ],
)
def test_languages(text: str, language: str | None) -> None:
    """A line is told by its script, its characters or its commonest words."""
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "2025", "Meta", "AGI", "人工智能", "🚀", "北京"])
def test_what_cannot_be_told_is_the_default(text: str) -> None:
    """Text that both scripts share, or too little of it, is the caller's language."""
    assert language_of(text) is None
    assert language_of(text, "zh-Hans") == "zh-Hans"


def test_mixed_text_goes_by_most_of_it() -> None:
    """Some Han in English, or English names in Chinese, change nothing."""
    english = "The company Yuanzhou (遠洲) said that it would build in the bay"
    assert language_of(english) == "en"
    assert language_of("Meta、OpenAI 与 Google DeepMind 周三发布联合声明") == "zh-Hans"


@given(text=st.text(max_size=300), default=st.none() | st.just("en"))
def test_any_text(text: str, default: str | None) -> None:
    """Any text gives a language tag or the default; nothing is raised."""
    found = language_of(text, default)
    assert found is None or 2 <= len(found) <= 7


def test_seed_lines(shared: Path) -> None:
    """Every block and key point of the seed page is told right, and most tags."""
    item = json.loads(
        (shared / "fixtures/portals/fishai-like/expected/seed-item.json").read_text(
            "utf-8"
        )
    )
    assert {language_of(block["text"]) for block in item["blocks"]} == {"zh-Hant"}
    assert {language_of(point["text"]) for point in item["key_points"]} == {"zh-Hans"}
    assert language_of("\n".join(item["tags"])) == "zh-Hans"


def test_corpus(shared: Path) -> None:
    """Of all labelled articles, at least 97 of 100 are told right."""
    folder = shared / "corpus"
    right = told = 0
    for line in (folder / "index.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["kind"] != "article" or "text" not in entry["fields"]:
            continue
        truth = json.loads(
            (folder / entry["corpus"] / f"{entry['id']}.json").read_text("utf-8")
        )["truth"]
        told += 1
        right += language_of(truth["text"]) == entry["language"]
    assert told > 400
    assert right >= 0.97 * told
