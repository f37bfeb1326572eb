// The playground: a form made from the version's own schema, drawings as they come, seeds that can be had again. The address is the state.
import {
  html,
  nothing,
  show,
  call,
  get,
  getOr,
  post,
  follow,
  say,
  problem,
  gone,
  confirmed,
  empty,
  copy,
  setTitle,
  isOver,
  here,
} from './app.js';
import { w, count } from './words.js';
import { fieldsOf, control } from './settings.js';
import { drawingCode, codeBlock } from './code.js';
import { Viewer } from './viewer.js';

const up = ['prompt', 'negative_prompt', 'num_outputs', 'seed', 'lora_scale'];
const only = location.pathname.split('/')[2] ?? null;
const state = {
  models: [],
  version: null,
  schema: null,
  fields: [],
  values: {},
  word: null,
  list: [],
  next: null,
  error: null,
  errors: {},
  busy: false,
  training: null,
  alone: false,
  pair: [],
  large: null,
  loaded: false,
};
const viewer = new Viewer({
  draw,
  walk,
  onClose() {
    Object.assign(state, { large: null, pair: [] });
    draw();
  },
});

const input = () => Object.fromEntries(Object.entries(state.values).filter(([, v]) => v !== undefined && v !== ''));

/** The address says what the form says. */
function toAddress() {
  const query = new URLSearchParams(Object.entries(input()).filter(([name]) => !['image', 'mask'].includes(name)));
  if (state.version) query.set('version', state.version);
  if (!only) history.replaceState(null, '', `/play${query.size ? `?${query}` : ''}`);
}

function fromAddress() {
  const query = new URLSearchParams(location.search);
  state.version = query.get('version');
  query.delete('version');
  state.address = Object.fromEntries(query);
}

/** Texts of the address as the fields' types. */
function typed() {
  for (const [name, text] of Object.entries(state.address)) {
    const field = state.fields.find(f => f.name === name);
    if (field)
      state.values[name] =
        field.type === 'boolean' ? text === 'true' : field.type === 'integer' || field.type === 'number' ? Number(text) : text;
  }
}

async function choose(version) {
  state.version = version;
  const [model, id] = (version ?? '').split(':');
  let found = null;
  if (model?.includes('/')) {
    const m = state.models.find(x => `${x.owner}/${x.name}` === model) ?? await getOr(`/v1/models/${model}`, null);
    const newest = id ?? m?.latest_version?.id;
    found = newest ? await getOr(`/v1/models/${model}/versions/${newest}`, m?.latest_version ?? null) : null;
  }
  const schemas = found?.openapi_schema?.components?.schemas;
  state.fields = fieldsOf(
    schemas?.Input ?? (await getOr('/v1/schema/prediction', { properties: { prompt: { type: 'string', 'x-order': 0 } } })),
    schemas,
  );
  state.word = found ? await wordOf(found) : null;
  Object.assign(state, { training: found?.training_id ?? null, alone: false });
}

/** The trigger word stands in the version's manifest. */
async function wordOf(version) {
  const manifest = version.files?.['manifest.json']; // a base model's version has none, and no word
  return manifest ? (await (await fetch(manifest)).json()).trigger : null;
}

// --- drawing ---

async function send(inputs, strip = '') {
  Object.assign(state, { error: null, errors: {}, busy: true });
  toAddress();
  draw();
  try {
    for (const one of inputs) {
      const { version = state.version, step, ...rest } = one;
      const made = await post('/v1/predictions', version ? { version, input: rest } : { input: rest });
      keep({ ...made, strip: step ?? strip });
      watch(made.id);
    }
  } catch (e) {
    Object.assign(state, { error: e, errors: e.fields ?? {} });
  }
  state.busy = false;
  draw();
}

function keep(prediction) {
  const at = state.list.findIndex(p => p.id === prediction.id);
  if (at < 0) state.list = [prediction, ...state.list];
  else state.list = state.list.map((p, i) => (i === at ? { ...p, ...prediction } : p));
}

function watch(id) {
  const follower = follow(`/v1/predictions/${id}`, {
    every: 0.7,
    onData(p) {
      const before = state.list.find(x => x.id === id);
      keep(p);
      if (p.urls?.events && !isOver(p.status)) follower.listen(here(p.urls.events));
      if (isOver(p.status) && before && !isOver(before.status)) say(w.training.notified(p.input?.prompt ?? ''));
      draw();
      return isOver(p.status) ? false : 0.7;
    },
    onGone() { state.list = state.list.filter(p => p.id !== id); draw(); },
  });
}

const submit = e => { e?.preventDefault(); return send([input()]); };
const seedNow = () => state.values.seed ?? Math.floor(Math.random() * 65536);

const strips = {
  strength: () => {
    const seed = seedNow();
    return [1, 0.8, 0.6, 0.4, 0].map(lora_scale => ({ ...input(), seed, lora_scale, num_outputs: 1 }));
  },
  seeds: () => [{ ...input(), num_outputs: 4 }],
  /** Every version of the same training: its end, and what is published of its checkpoints. */
  async checkpoints() {
    const seed = seedNow(), model = state.version.split(':')[0], versions = [];
    for (let page = `/v1/models/${model}/versions`; page;) {
      const { results, next } = await get(page);
      versions.push(...results.filter(v => v.training_id === state.training));
      page = next;
    }
    state.alone = versions.length < 2;
    return state.alone ? [] : versions.sort((a, b) => (b.step ?? Infinity) - (a.step ?? Infinity))
      .map(v => ({ ...input(), seed, num_outputs: 1, version: `${model}:${v.id}`, step: w.play.step(v.step) }));
  },
};

async function cancel() {
  const running = state.list.find(p => !isOver(p.status));
  if (running) await post(here(running.urls.cancel)).then(keep, e => { state.error = e; });
  draw();
}

async function remove(p) {
  if (!await confirmed({ title: `${w.delete}?`, body: p.input?.prompt ?? p.id, yes: w.delete })) return;
  try { await call('DELETE', `/v1/predictions/${p.id}`); state.list = state.list.filter(x => x !== p); } catch (e) { state.error = e; }
  draw();
}

/** Takes a picture or mask; null: takes it away. A mask is of its picture: another picture has none. */
async function file(field, blob) {
  if (field.name === 'image') delete state.values.mask;
  delete state.values[field.name];
  if (blob) {
    const form = new FormData();
    form.append('content', blob, blob.name ?? `${field.name}.png`);
    try { state.values[field.name] = (await call('POST', '/v1/files', { body: form })).data.urls.get; } catch (e) { state.error = e; }
  }
  draw();
}

/** Where a file that was sent is seen, since its address alone says only what it is; null: the page may show no other. */
function seen(address) {
  const url = new URL(address, location.href);
  return url.origin === location.origin && /^\/v1\/files\/[^/]+$/.test(url.pathname) ? `${url.pathname}/download` : null;
}

async function paint(field) {
  const image = Object.assign(new Image(), { src: seen(state.values.image) ?? '' });
  try { await image.decode(); } catch { state.error = { detail: w.play.unseen }; return draw(); }
  const { repaintMask } = await import('./mask.js');
  const mask = await repaintMask({ width: image.naturalWidth, height: image.naturalHeight, url: image.src });
  if (mask) await file(field, new Blob([Uint8Array.from(atob(mask.split(',')[1]), c => c.charCodeAt(0))], { type: 'image/png' }));
}

function change(p) {
  state.values = Object.fromEntries(
    Object.entries(p.input ?? {}).filter(([name, v]) => v !== null && state.fields.some(f => f.name === name && v !== f.default)),
  );
  if (only) return location.assign(`/play?${new URLSearchParams({ ...state.values, ...(versionOf(p) ? { version: versionOf(p) } : {}) })}`);
  draw();
  document.getElementById('f-prompt')?.focus();
}

/** What a prediction was drawn with, as a new one names it; null: the base model alone. */
const versionOf = p => (!p.version ? null : p.version.includes(':') || !p.model ? p.version : `${p.model}:${p.version}`);
const seedOf = (p, i) => p.seeds?.[i] ?? (p.input?.seed === undefined || p.input?.seed === null ? null : p.input.seed + i);
const outputs = p => (Array.isArray(p.output) ? p.output : p.output ? [p.output] : []);
const again = (p, more = {}) =>
  send([
    {
      ...Object.fromEntries(Object.entries(p.input ?? {}).filter(([, v]) => v !== null)),
      ...(seedOf(p, 0) === null ? {} : { seed: seedOf(p, 0) }),
      ...more,
      version: versionOf(p) ?? undefined,
    },
  ]);

function compare(p) {
  state.pair = [...state.pair.filter(x => x !== p), p].slice(-2);
  draw();
  if (state.pair.length === 2) viewer.open();
}

/** Every picture that is drawn, in the order of the list. */
const all = () =>
  state.list.flatMap(p => outputs(p).map((url, i) => ({ url, title: w.play.pictureOf(p.input?.prompt ?? '', seedOf(p, i) ?? '–') })));

function enlarge(e, url) {
  if (e.ctrlKey || e.metaKey || e.shiftKey) return; // a link as any other
  e.preventDefault();
  state.large = url;
  viewer.open();
}

function walk(columns, rows) {
  const list = all(), to = list[list.findIndex(x => x.url === state.large) + columns + rows];
  if (to && state.large) { state.large = to.url; draw(); }
}

// --- templates ---

function field(f) {
  const set = value => { state.values = { ...state.values, [f.name]: value }; toAddress(); draw(); };
  if (f.name === 'image' || f.name === 'mask')
    return html`<div>
      <label for="f-${f.name}">${f.title}</label
      ><input
        type="file"
        id="f-${f.name}"
        accept="image/*"
        aria-describedby="f-${f.name}-help"
        @change=${e => file(f, e.target.files[0])}
      /><small id="f-${f.name}-help">${f.description}</small>
      ${state.values[f.name] && seen(state.values[f.name])
        ? html`<img class="chosen" src=${seen(state.values[f.name])} alt=${w.play.chosen(f.title)} />`
        : nothing}
      <div class="row">
        ${state.values[f.name]
          ? html`<button type="button" class="small outline secondary" @click=${() => file(f, null)}>${w.play.clear(f.title)}</button>`
          : nothing}
        ${f.name === 'mask' && state.values.image
          ? html`<button type="button" class="small outline secondary" @click=${() => paint(f)}>${w.play.paint}</button>`
          : nothing}
      </div>
    </div>`;
  return control(f, state.values[f.name], set, { error: state.errors[f.name] });
}

function formTemplate() {
  const first = up.map(name => state.fields.find(f => f.name === name)).filter(Boolean),
    rest = state.fields.filter(f => !up.includes(f.name));
  const prompt = state.values.prompt ?? '',
    words = (state.word ?? '').split('|').filter(Boolean);
  const missing = words.length && prompt && !words.some(word => prompt.includes(word)) ? words[0] : null;
  return html`<form
    class="card"
    @submit=${submit}
    @keydown=${e => {
      if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) submit(e);
    }}
    novalidate
  >
    <label for="model">${w.play.model}</label
    ><select
      id="model"
      @change=${async e => {
        await choose(e.target.value || null);
        toAddress();
        draw();
      }}
    >
      <option value="" ?selected=${!state.version}>${w.play.noModel}</option>
      ${choices().map(([value, name]) => html`<option value=${value} ?selected=${value === state.version}>${name}</option>`)}</select>
    <div class="fields">${first.map(field)}</div>
    ${
      missing
        ? html`<div class="note">
            <p>
              ${w.play.missingWord(missing)}
              <button
                type="button"
                class="small"
                @click=${() => {
                  state.values = { ...state.values, prompt: `${prompt} ${missing}` };
                  toAddress();
                  draw();
                }}
              >
                ${w.play.addWord(missing)}
              </button>
            </p>
          </div>`
        : nothing
    }
    ${
      rest.length
        ? html`<details>
            <summary>${w.play.more}</summary>
            <div class="fields">${rest.map(field)}</div>
          </details>`
        : nothing
    }
    ${problem(state.error)}
    <div class="row">
      <button aria-busy=${state.busy ? 'true' : nothing}>${state.busy ? w.play.drawing : w.play.draw}</button><small>${w.play.hint}</small>
    </div>
    <fieldset class="row">
      <legend>${w.play.strips}</legend>
      ${Object.keys(strips)
        .filter(s => s !== 'checkpoints' || state.training)
        .map(
          s =>
            html`<button type="button" class="small outline secondary" @click=${async () => send(await strips[s](), w.play[s])}>
              ${w.play[s]}
            </button>`,
        )}
    </fieldset>
    ${state.alone ? html`<p role="status">${w.play.onlyOne} <a href="/trainings/${state.training}">${w.play.itsTraining}</a></p>` : nothing}
    ${codeBlock(drawingCode(state.version, input()), draw)}</form>`;
}

function choices() {
  const list = state.models
    .filter(m => m.latest_version && m.owner !== 'stability-ai')
    .map(m => [`${m.owner}/${m.name}:${m.latest_version.id}`, `${m.owner}/${m.name}`]);
  if (state.version && !list.some(([value]) => value === state.version))
    list.unshift([state.version, state.version.replace(/:(.{8}).*/, ':$1')]);
  return list;
}

function drawing(p) {
  const shown = outputs(p),
    prompt = p.input?.prompt ?? '';
  const state_ = isOver(p.status)
    ? nothing
    : html`<p class="muted">${w.play.progress(p.progress?.step ?? 0, p.progress?.total_steps)}</p>
        <progress
          aria-label=${w.training.progress}
          value=${p.progress?.total_steps ? p.progress.step / p.progress.total_steps : nothing}
          max="1"
        ></progress>`;
  return html`<li class="card">
    <div class="shots">
      ${shown.map(
        (url, i) => html`<a class="shot" href=${url} target="_blank" rel="noopener" @click=${e => enlarge(e, url)}
          ><img src=${p.thumbnails?.[i] ?? url} alt=${w.play.pictureOf(prompt, seedOf(p, i) ?? '–')} loading="lazy" /></a>`
      )}${shown.length ? nothing : html`<div class="coming">${w.state[p.status]}</div>`}
    </div>
    ${state_}
    <p dir="auto">${prompt}</p>
    <small
      >${[
          seedOf(p, 0) === null ? null : w.training.seed(seedOf(p, 0)),
          p.input?.lora_scale === undefined || p.input?.lora_scale === null ? null : `lora_scale ${p.input.lora_scale}`,
          p.strip,
        ].filter(Boolean).join(' · ')}</small
    >
    ${p.status === 'failed' ? html`<div class="problem" role="alert"><p dir="auto">${p.error}</p></div>` : nothing}
    ${p.warnings?.length ? html`<small class="warn" dir="auto">${p.warnings.join(' ')}</small>` : nothing}
    <div class="row">
      ${
        isOver(p.status)
          ? html` <button type="button" class="small outline secondary" @click=${() => again(p)}>${w.play.again}</button
              ><button type="button" class="small outline secondary" @click=${() => again(p, { seed: undefined })}>
                ${w.play.newSeed}
              </button>
              <button type="button" class="small outline secondary" @click=${() => change(p)}>${w.play.change}</button>
              ${shown.length
                ? html`<button type="button" class="small outline secondary" aria-pressed=${state.pair.includes(p) ? 'true' : 'false'}
                      @click=${() => compare(p)}>${w.play.compare}</button
                    ><a class="small" href=${shown[0]} download>${w.download}</a>`
                : nothing}
              <a class="small" href="/play/${p.id}">${w.play.link}</a>
              <button type="button" class="small outline danger" @click=${() => remove(p)}>${w.delete}</button>`
          : html`<button type="button" class="small outline danger" @click=${cancel}>${w.cancel}</button>`
      }
    </div>
  </li>`;
}

/** One drawing large, or two compared. */
function large() {
  const [a, b] = state.pair, one = p => ({ url: outputs(p)[0], title: w.play.pictureOf(p.input?.prompt ?? '', seedOf(p, 0) ?? '–') });
  if (b) return viewer.template(one(a), { other: one(b), hint: '' });
  return viewer.template(all().find(x => x.url === state.large) ?? null, {
    hint: w.play.arrows, controls: state.large && html`<a role="button" class="secondary" href=${state.large} download>${w.download}</a>`,
  });
}

function draw() {
  if (!state.loaded) return;
  if (only) {
    const p = state.list.find(x => x.id === only);
    return show(
      html`<h1>${w.play.shown}</h1>
        ${problem(state.error)}
        <ul class="drawings">
          ${p ? drawing(p) : nothing}
        </ul>
        ${p
          ? codeBlock(
              drawingCode(versionOf(p), Object.fromEntries(Object.entries(p.input ?? {}).filter(([, v]) => v !== null))),
              draw,
              { open: true }
            )
          : nothing}${large()}`,
    );
  }
  show(
    html`<h1>${w.play.title}</h1>
      <div class="grid2">
        ${formTemplate()}
        <section aria-labelledby="history">
          <h2 id="history">${w.play.history}</h2>
          ${
            state.list.length
              ? html`<ul class="drawings">
                  ${state.list.map(drawing)}
                </ul>`
              : empty(w.play.empty)
          }
          ${state.next ? html`<button class="secondary" @click=${more}>${w.more} (${count(state.list.length)})</button>` : nothing}
        </section>
      </div>
      ${large()}`,
  );
}

async function more() {
  const page = await get(state.next);
  for (const p of page.results) if (!state.list.some(x => x.id === p.id)) state.list.push(p);
  state.next = page.next ?? null;
  draw();
}

addEventListener('keydown', e => { if (e.key === 'Escape' && !document.querySelector('dialog[open]')) cancel(); });
setTitle(w.play.title);
fromAddress();
try {
  if (only) {
    await choose(null);
    state.list = [await get(`/v1/predictions/${only}`)];
    watch(only);
  } else {
    const [models, history] = await Promise.all([getOr('/v1/models', { results: [] }), getOr('/v1/predictions', { results: [] })]);
    state.models = models.results;
    state.list = history.results;
    state.next = history.next ?? null;
    await choose(state.version ?? choices()[0]?.[0] ?? null);
    typed();
    for (const p of state.list.filter(x => !isOver(x.status)).slice(0, 4)) watch(p.id);
  }
  state.loaded = true;
  draw();
} catch (e) {
  if (e.status !== 401) show(gone(e));
}
