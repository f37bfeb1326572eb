// The account's models, a cover each.
import { html, nothing, show, get, empty, gone, problem, setTitle } from './app.js';
import { w, since } from './words.js';

const state = { list: [], next: null, error: null };

function card(m) {
  const name = `${m.owner}/${m.name}`;
  return html`<li class="card">
    <a href="/models/${name}"
      >${m.cover_image_url
        ? html`<img src=${m.cover_image_url} alt=${w.models.cover(name)} loading="lazy" />`
        : html`<span class="noimg"></span>`}<strong
        >${name}</strong
      ></a
    >
    <p class="muted">${m.latest_version ? w.models.updated(since(m.latest_version.created_at)) : w.models.none}</p>
    ${m.description ? html`<p dir="auto">${m.description}</p>` : nothing}
  </li>`;
}

function draw() {
  show(html`<h1>${w.models.title}</h1>${problem(state.error)}
    ${state.list.length ? html`<ul class="models">${state.list.map(card)}</ul>` : empty(w.models.empty, '/', w.models.emptyButton)}
    ${state.next ? html`<button class="secondary" @click=${() => load(state.next)}>${w.more}</button>` : nothing}`);
}

async function load(url) {
  try {
    const page = await get(url);
    state.list.push(...page.results);
    state.next = page.next ?? null;
    draw();
  } catch (e) {
    if (state.list.length) { state.error = e; draw(); } else if (e.status !== 401) show(gone(e));
  }
}

setTitle(w.models.title);
load('/v1/models');
