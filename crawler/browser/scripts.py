"""What is run in a page's own world, and how far what it tells is believed."""

from __future__ import annotations

_MAX_ROWS, _MAX_NAME = 20_000, 2_000

DISMISS = """wanted => {
  let found = 0;
  for (const selector of wanted)
    for (const each of document.querySelectorAll(selector)) {
      if (each.matches('a, button, input, summary, [role=button]')) {
        if (!each.offsetParent && getComputedStyle(each).position !== 'fixed') continue;
        each.click();
      } else each.remove();
      found++;
    }
  return found;
}"""

DOWN = """() => {
  const down = each => {
    const at = each.scrollTop;
    each.scrollBy({top: Math.max(each.clientHeight * 0.8, 50), behavior: 'instant'});
    return each.scrollTop > at + 1;
  };
  const root = document.scrollingElement || document.documentElement;
  if (down(root)) return true;
  const inner = [...document.querySelectorAll('*')].filter(each =>
    each !== root && each.clientHeight > 50 && each.scrollHeight > each.clientHeight + 5
    && /auto|scroll|overlay/.test(getComputedStyle(each).overflowY));
  const area = each => each.clientHeight * each.clientWidth;
  inner.sort((one, other) => area(other) - area(one));
  return inner.length > 0 && down(inner[0]);
}"""

SIZE = """wanted => {
  const found = [];
  for (const selector of wanted) {
    const [kind, text] = [selector.split('=', 1)[0], selector.replace(/^\\w+=/, '')];
    try {
      if (kind === 'css') found.push(...document.querySelectorAll(text));
      else {
        const each = document.evaluate(text, document, null, 7, null);
        for (let n = 0; n < each.snapshotLength; n++) found.push(each.snapshotItem(n));
      }
    } catch (e) { continue }
    if (found.length) break;
  }
  const link = each => each.closest('a[href]') || each.querySelector('a[href]');
  const name = each => (each.nodeType === 1 && link(each) ? link(each).href : '')
    + ' ' + (each.textContent || '').trim().slice(0, 200);
  return {rows: found.slice(0, 20000).map(name),
          elements: document.querySelectorAll('*').length};
}"""


def size_of(told: object) -> tuple[set[str], int]:
    """Return the rows and how many elements there are, as far as a page tells them.

    told: what comes out of the page's own world, where its scripts may change anything.
    """
    given = told if isinstance(told, dict) else {}
    rows, elements = given.get("rows"), given.get("elements")
    named = rows[:_MAX_ROWS] if isinstance(rows, list) else []
    counted = elements if isinstance(elements, int) else 0
    return {each[:_MAX_NAME] for each in named if isinstance(each, str)}, counted
