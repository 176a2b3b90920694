const main = document.querySelector("main");
const get = async path => (await fetch(path)).json();
const make = (name, text, attributes = {}) => {
  const made = document.createElement(name);
  made.textContent = text;
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  return made;
};

async function news() {
  const rows = make("ul", "", {class: "rows"});
  const button = make("button", "More news", {class: "load-more"});
  let page = 0;
  const more = async () => {
    const answer = await get(`/api/rows?page=${++page}`);
    for (const row of answer.rows) {
      const line = make("li", "");
      line.append(make("a", row.title, {href: row.path}), " ", make("time", row.at));
      rows.append(line);
    }
    if (!answer.more) button.remove();
  };
  button.addEventListener("click", more);
  main.replaceChildren(make("h2", "News"), rows, button);
  await more();
}

async function story() {
  const told = await get(`/api${location.pathname}`);
  const meta = make("p", "", {class: "meta"});
  meta.append(make("span", told.by, {class: "by"}), ", ",
    make("time", told.at.slice(0, 16).replace("T", " "), {datetime: told.at}));
  const body = make("div", "", {class: "story"});
  if (told.image) body.append(make("img", "", {src: told.image, alt: ""}));
  body.append(...told.paragraphs.map(each => make("p", each)));
  const tags = make("p", "", {class: "tags"});
  tags.append(...told.tags.flatMap(tag => [make("a", tag, {href: `/t/${tag}`}), " "]));
  const next = make("p", "Next: ", {class: "next"});
  next.append(make("a", told.next.title, {href: told.next.path}));
  main.replaceChildren(make("h1", told.title), meta, body, tags, next);
  document.title = `${told.title} | Yardarm Bulletin`;
}

({news, story})[document.body.dataset.page]();
