// Samples as elements: images, texts, rows of tables. Texts are never read as markup.

export function make(tag, properties = {}, ...children) {
  const { data, ...others } = properties;
  const element = Object.assign(document.createElement(tag), others);
  for (const [name, value] of Object.entries(data ?? {})) element.dataset[name] = value;
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function picture(sample, size, label, isLazy = false) {
  const image = make("img", {
    src: `image/${sample.row}/${size}`, alt: label, decoding: "async",
    loading: isLazy ? "lazy" : "eager",
  });
  // a few pixels say less the bigger they are
  image.onload = () => image.classList.toggle("tiny", image.naturalWidth < 100);
  image.onerror = () => image.replaceWith(make("span", {
    className: "empty", textContent: `${sample.id} cannot be shown. Answer "cannot tell".`,
  }));
  return make("span", { className: "picture" }, image);
}

function rowsOf(samples) {
  const names = [];
  const seen = new Set();
  for (const sample of samples) {
    for (const [name] of sample.rows ?? []) {
      if (!seen.has(name)) { seen.add(name); names.push(name); }
    }
  }
  const values = samples.map((sample) => new Map(sample.rows ?? []));
  return names.map((name) => [name, values.map((of) => of.get(name) ?? "")]);
}

// One table of all samples in question; values that differ from the first are marked.
export function comparison(samples, titles) {
  const head = make("tr", {}, make("th", { scope: "col", textContent: "Column" }),
    ...titles.map((text) => make("th", { scope: "col", textContent: text })));
  const body = rowsOf(samples).map(([name, values]) => make("tr", {},
    make("th", { scope: "row", textContent: name }),
    ...values.map((value, place) => {
      const differs = samples.length === 2
        ? values[0] !== values[1] : place > 0 && value !== values[0];
      const cell = make("td", { className: differs ? "differs" : "" });
      if (value === "") cell.append(make("span", { className: "empty", textContent: "missing" }));
      else cell.append(value);
      return cell;
    })));
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
  table.style.setProperty("--columns", titles.length + 1);
  return make("div", { className: "scroll", tabIndex: 0, role: "region",
    ariaLabel: "Values of the samples" }, table);
}

// A text that is longer than its box scrolls by the arrow keys once Tab has reached it.
const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => {
  if (target.scrollHeight > target.clientHeight) target.tabIndex = 0;
  else target.removeAttribute("tabindex");
}));

function passage(text, label) {
  const element = make("div", { className: "text", textContent: text, role: "group",
    ariaLabel: label });
  sizes.observe(element);
  return element;
}

export function content(sample, size, label, isLazy = false) {
  if (sample.kind === "image") return picture(sample, size, label, isLazy);
  if (sample.kind === "text") return passage(sample.text, label);
  const rows = (sample.rows ?? []).slice(0, 6);
  return passage(rows.map(([name, value]) => `${name}: ${value || "–"}`).join("\n"), label);
}

export function figure(sample, size, label, isLazy = false) {
  return make("figure", { className: "sample" }, content(sample, size, label, isLazy),
    make("figcaption", { textContent: sample.id }));
}

export function brief(sample) {
  if (sample.kind === "text") return sample.text;
  return (sample.rows ?? []).slice(0, 3).map(([, value]) => value || "–").join(" · ");
}
