"""Pages that scripts make: lists that grow or keep a window, and what covers a page."""

from __future__ import annotations

ROW = (
    "const row = n => '<li class=row><a href=/item/' + n + '>' + n + '</a>"
    " <i>' + n + '</i></li>';"
)
VIRTUAL = (
    "<!doctype html><title>virtual</title><style>#box {height: 300px; overflow-y: auto}"
    " li {height: 50px; margin: 0; list-style: none}</style>"
    "<div id=box><div id=inside><ul id=list style='margin: 0; padding: 0'></ul></div>"
    f"</div><script>{ROW}"
    "const all = %d, box = document.getElementById('box');"
    "document.getElementById('inside').style.height = 50 * all + 'px';"
    "const show = () => { const first = Math.floor(box.scrollTop / 50);"
    " let rows = ''; for (let n = first; n < Math.min(all, first + 7); n++)"
    " rows += row('v' + n); const list = document.getElementById('list');"
    " list.style.paddingTop = 50 * first + 'px'; list.innerHTML = rows };"
    "box.addEventListener('scroll', show); show()</script>"
)
"""A list of so many rows, of which seven are in the document."""

LOAD_MORE = (
    "<!doctype html><title>more</title><ul id=list></ul><button id=more>more</button>"
    "<div id=cover style='position:fixed; inset: 0; background: grey'>covered"
    '<button id=close onclick="this.parentNode.remove()">close</button></div>'
    f"<script>{ROW}let at = 0; const more = document.getElementById('more');"
    "const load = async () => { const answer = await (await fetch("
    "'/api/list?page=' + at++)).json(); for (const n of answer.data.list)"
    " document.getElementById('list').insertAdjacentHTML('beforeend', row(n.id));"
    " if (!answer.data.more) more.remove() };"
    "more.addEventListener('click', load); load()</script>"
)
"""A list of an API's pages, the next at each click, below something that covers it."""

ENDLESS = (
    "<!doctype html><title>endless</title><ul id=list></ul><a id=more>more</a>"
    f"<script>{ROW}let at = 0; const load = () => document.getElementById('list')"
    ".insertAdjacentHTML('beforeend', row('e' + at++)); load();"
    "document.getElementById('more').addEventListener('click', load)</script>"
)
BY_SCRIPT = (
    "<!doctype html><title>rows</title><ul id=list></ul>"
    f"<script>{ROW}document.getElementById('list').innerHTML ="
    " row('s0') + row('s1')</script>"
)
LONG = (
    "<!doctype html><meta name=viewport content='width=device-width'>"
    "<style>p {height: 400px; margin: 0}</style><h1>long</h1>"
    "<div class=body id=body></div><script>"
    "const all = 20, body = document.getElementById('body');"
    "body.style.height = 400 * all + 'px';"
    "const show = () => { const first = Math.max(0, Math.min(all - 4,"
    " Math.floor(scrollY / 400) - 1)); let text = '<p style=\"height:' + 400 * first"
    " + 'px\"></p>'; for (let n = first; n < first + 4; n++)"
    " text += '<p>paragraph ' + n + (n % 5 ? '' : ' and again') + '</p>';"
    " body.innerHTML = text }; addEventListener('scroll', show); show()</script>"
)
"""An article of 20 paragraphs, of which four are in the document."""

PICTURES = (
    "<!doctype html><meta name=viewport content='width=device-width'>"
    "<title>pictures</title><h1>pictures</h1><div class=body>"
    "<p>told</p><div style='height: 4000px'></div>"
    "<img data-late=/late.png></div>"
    "<img src=/image.png><video src=/film.mp4 preload=auto></video>"
    "<script src=/advert.js></script><script src=/seen.js></script>"
    "<script>new IntersectionObserver((all, self) => all.forEach(each => {"
    " if (each.isIntersecting) { each.target.src = each.target.dataset.late;"
    " each.target.removeAttribute('data-late') } }))"
    ".observe(document.querySelector('[data-late]'));"
    "addEventListener('load', () => document.querySelector('p').textContent = ["
    "innerWidth + 'x' + innerHeight, navigator.language,"
    " Intl.DateTimeFormat().resolvedOptions().timeZone,"
    " document.cookie, localStorage.getItem('reader'),"
    " typeof seen, typeof advert].join(' '))</script>"
)
"""A page that says what it finds, and asks for things that may not be wanted."""
