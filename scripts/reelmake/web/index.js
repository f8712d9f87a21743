// The list is in the page; this finds, filters and sorts in it. Texts are unpacked in the background.
const $ = id => document.getElementById(id);
const list = $("reports");
const filters = ["template", "language", "status", "tag"];
const SNIPPETS = 40, BEFORE = 50, AFTER = 130;
const fold = text => text.toLowerCase();

const reports = [...list.children].map((element, place) => {
  const title = element.querySelector("h3").textContent;
  const shown = `${title}\n${element.querySelector(".name")?.textContent ?? ""}\n${element.dataset.tag}`;
  return {
    element, place, title, head: fold(shown), text: "", body: "", fits: true, snippet: null,
    template: [element.dataset.template], language: [element.dataset.language],
    status: element.dataset.status.split(" "), tag: element.dataset.tag.split("\n"),
    duration: Number(element.dataset.duration), usd: Number(element.dataset.usd),
    created: element.dataset.created,
  };
});

let unpacked = false;
async function unpack() {
  let place = 0;
  for (const script of document.querySelectorAll("script.pack")) {
    const binary = atob(script.textContent);
    script.remove();
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    for (const text of await new Response(stream).json()) {
      reports[place].text = text;
      reports[place].body = fold(text);
      place += 1;
    }
    await new Promise(resolve => setTimeout(resolve));  // let the page breathe
  }
  unpacked = true;
  document.documentElement.dataset.ready = "";
  if ($("search").value) show();
}

const holds = (report, word) => report.head.includes(word) || report.body.includes(word);

function show() {
  const words = fold($("search").value).split(/\s+/).filter(Boolean);
  const wanted = filters.map(name => [name, $(name).value]).filter(([, value]) => value);
  let count = 0;
  for (const report of reports) {
    const fits = wanted.every(([name, value]) => report[name].includes(value))
      && words.every(word => holds(report, word));
    if (fits !== report.fits) report.element.hidden = !fits;
    report.fits = fits;
    count += fits;
    report.snippet?.remove();
    report.snippet = null;
  }
  if (words.length) [...list.children].filter(element => !element.hidden).slice(0, SNIPPETS)
    .forEach(element => addSnippet(byElement.get(element), words));
  const { shown, unpacking } = $("count").dataset;
  const said = shown.replace("{shown}", count).replace("{all}", reports.length);
  $("count").textContent = said + (words.length && !unpacked ? unpacking : "");
}

const byElement = new Map(reports.map(report => [report.element, report]));

function addSnippet(report, words) {
  const word = words.find(word => report.body.includes(word));
  if (!word) return;
  const at = report.body.indexOf(word), end = at + word.length;
  const start = Math.max(0, at - BEFORE);
  const snippet = document.createElement("p");
  snippet.className = "snippet";
  const mark = document.createElement("mark");
  mark.textContent = report.text.slice(at, end);
  const cut = start > 0 ? "…" : "", rest = report.text.slice(end, end + AFTER);
  snippet.append(cut + report.text.slice(start, at), mark, rest + (rest.length === AFTER ? "…" : ""));
  report.element.querySelector("div").append(snippet);
  report.snippet = snippet;
}

const orders = {
  title: (a, b) => a.title.localeCompare(b.title, document.documentElement.lang),
  created: (a, b) => b.created.localeCompare(a.created),
  duration: (a, b) => b.duration - a.duration,
  usd: (a, b) => b.usd - a.usd,
  status: (a, b) => b.status[0].localeCompare(a.status[0]),
};

function sort() {
  const order = orders[$("sort").value] ?? (() => 0);
  list.append(...[...reports].sort((a, b) => order(a, b) || a.place - b.place).map(report => report.element));
  if ($("search").value) show();
}

// What was chosen stands in the address: coming back, or a bookmark, finds it again.
const fields = ["search", ...filters, "sort"];
function remember() {
  const chosen = fields.map(id => [id, $(id).value]).filter(([, value]) => value);
  history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
}
function recall() {
  const chosen = [...new URLSearchParams(location.hash.slice(1))].filter(([id]) => fields.includes(id));
  for (const [id, value] of chosen) $(id).value = value;
  if ($("sort").value) sort();
  if (chosen.length) show();
}
for (const id of fields) {
  $(id).addEventListener("input", id === "sort" ? sort : show);
  $(id).addEventListener("change", remember);  // when it is left: browsers limit how often
}
document.querySelector("form").addEventListener("submit", event => event.preventDefault());
document.querySelector("a[href='#failures']")?.addEventListener("click", () => { $("failures").open = true; });
recall();
addEventListener("load", () => setTimeout(unpack));
