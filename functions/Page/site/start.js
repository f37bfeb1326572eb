// Start: drop, look, start. What is uploaded is a check; its address is kept in the page's (?check=ID), so that a reload or another device goes on from there.
import { html, svg, nothing, show, call, getOr, post, upload, follow, say, problem, gone, setTitle, isOver, targetOf, nameOf } from './app.js';
import { w, count, since } from './words.js';
import { Pictures, leftOut, warningsOf } from './pictures.js';
import { fieldsOf, form, chips } from './settings.js';

const kinds = {
  person: { use_face_detection_instead: true, caption_prefix: 'a photo of TOK', sample_prompts: 'a photo of TOK|TOK in a garden|an oil painting of TOK|TOK on the moon' },
  thing: { caption_prefix: 'a photo of TOK', sample_prompts: 'a photo of TOK|TOK on the beach|an oil painting of TOK|TOK on the moon' },
  style: { crop_based_on_salience: false, caption_prefix: 'in the style of TOK', sample_prompts: 'a castle in the style of TOK|a cat in the style of TOK|a portrait in the style of TOK|a street in the style of TOK' },
  other: { sample_prompts: 'a photo of TOK|TOK on the beach|an oil painting of TOK|TOK on the moon' },
};
const icons = {
  person: svg`<circle cx="24" cy="16" r="8"></circle><path d="M8 44c0-11 7-17 16-17s16 6 16 17z"></path>`,
  thing: svg`<path d="M12 20l-3-12 9 6h12l9-6-3 12c2 12-4 20-12 20S10 32 12 20z"></path>`,
  style: svg`<path d="M6 40c8-2 4-14 14-14 8 0 8 10 0 12-5 2-10 3-14 2zM22 24L40 6l3 3-18 18z"></path>`,
  other: svg`<path d="M24 5l5 13 14 1-11 9 4 14-12-8-12 8 4-14L5 19l14-1z"></path>`,
};
// What shapes pictures, masks and captions: another value wants another look at them.
const settled = ['resolution', 'mask_target_prompts', 'crop_based_on_salience', 'use_face_detection_instead', 'clipseg_temperature', 'token_string', 'caption_prefix'];
// Words that the base model knows well: a subject called so fights against what they mean already.
const ordinary = new Set('cat dog man woman person boy girl photo picture style art house car tree flower bird horse baby face portrait girlfriend boyfriend toy book city sky sea sun moon me my the a'.split(' '));

const query = new URLSearchParams(location.search);
const state = {
  id: /^\/checks\/([^/]+)/.exec(location.pathname)?.[1] ?? query.get('check') ?? query.get('again'), again: query.has('again'), kind: 'thing', name: '', word: 'TOK', values: {}, fields: [], search: '',
  archive: null, phase: null, sent: 0, total: 0, report: null, done: false, cancel: null, error: null, errors: {}, pending: false, starting: false, need: null, last: null,
};
const pictures = new Pictures({ draw });
let follower, job, sending;

/** Everything that the training is asked for: the kind's settings, then what was changed by hand. */
function input() {
  const word = state.word.trim() || 'TOK';
  const preset = Object.fromEntries(Object.entries(kinds[state.kind]).map(([name, value]) => [name, typeof value === 'string' ? value.replaceAll('TOK', word) : value]));
  const changed = Object.fromEntries(Object.entries(state.values).filter(([, value]) => value !== undefined));
  return { token_string: word, ...preset, ...changed };
}

// --- files in ---

async function entriesOf(items) {
  const files = [];
  async function walk(entry, path) {
    if (entry.isFile) files.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path: path + entry.name });
    else {
      const reader = entry.createReader();
      for (let batch; (batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length;)
        for (const child of batch) await walk(child, `${path}${entry.name}/`);
    }
  }
  const entries = [...items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  for (const entry of entries) await walk(entry, '');
  return files;
}

const here = url => { const u = new URL(url, location.href); return u.pathname + u.search; };
const isPicture = name => /\.(jpe?g|png|webp|gif|bmp|tiff?)$/i.test(name);
const isArchive = name => /\.(zip|tar|tgz|tar\.gz)$/i.test(name);

async function take(list) {
  const files = list.filter(({ path }) => !/(^|\/)(\.|__MACOSX\/|Thumbs\.db)/.test(path));
  const archives = files.filter(f => isArchive(f.path));
  Object.assign(state, { error: null, need: null });
  if (!files.some(f => isPicture(f.path)) && !archives.length) return refuse(w.start.empty);
  if (archives.length && files.length > 1) return refuse(w.start.isArchiveAmong);
  for (const address of pictures.local.values()) URL.revokeObjectURL(address);
  pictures.local.clear();
  state.phase = 'packing';
  if (archives.length) {
    state.archive = { blob: archives[0].file, name: archives[0].file.name };
    pictures.list = [];
  } else {
    const shown = files.filter(f => isPicture(f.path) && !/_mask\.\w+$/i.test(f.path));
    for (const f of shown) pictures.local.set(f.path, URL.createObjectURL(f.file));
    pictures.list = shown.map((f, index) => ({ index, name: f.path, state: 'waiting', warnings: [] }));
    draw();
    const { downloadZip } = await import('./vendor/client-zip.js');
    const zip = downloadZip(files.map(f => ({ name: f.path, lastModified: new Date(f.file.lastModified), input: f.file })));
    const folder = files[0].path.includes('/') ? files[0].path.split('/')[0] : '';
    state.archive = { blob: await zip.blob(), name: `${folder || 'pictures'}.zip` };
  }
  pictures.edits.clear();
  if (!state.name) state.name = slug(state.archive.name.replace(/\.(zip|tar|tgz|tar\.gz)$/i, ''));
  await check();
}

const slug = text => text.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 60) || 'my-model';

function refuse(sentence) {
  state.error = { detail: sentence };
  draw();
}

// --- the check ---

/** Sends what was dropped; again when the kind changes, since masks and captions depend on it. */
async function check() {
  follower?.stop();
  job?.stop();
  sending?.abort();
  if (state.cancel) call('POST', state.cancel).catch(() => {}); // its pictures are looked at anew
  setId(null);
  pictures.list = pictures.list.map(({ index, name }) => ({ index, name, state: 'waiting', warnings: [] }));
  pictures.saving.clear();
  Object.assign(state, { phase: 'sending', sent: 0, total: state.archive.blob.size, report: null, error: null });
  draw();
  const body = new FormData();
  body.append('input_images', state.archive.blob, state.archive.name);
  for (const [name, value] of Object.entries(input())) body.append(name, String(value));
  if (state.name) body.append('name', state.name);
  const mine = sending = upload('/v1/checks', body, (sent, total) => { Object.assign(state, { sent, total }); draw(); });
  try {
    const made = await mine.answer;
    setId(made.id);
    watch();
  } catch (e) {
    if (e.name === 'AbortError') return;
    Object.assign(state, { phase: null, error: e, pending: false });
  }
  if (sending === mine) sending = null;
  draw();
}

function setId(id) {
  Object.assign(state, { id, again: false });
  history.replaceState(null, '', id ? `/?check=${id}` : '/');
}

function watch() {
  const base = state.again ? `/v1/trainings/${state.id}` : `/v1/checks/${state.id}`;
  Object.assign(state, { phase: 'looking', done: false });
  pictures.address = state.again ? null : index => `${base}/pictures/${index}`; // a training's own pictures stay as it was trained on
  pictures.report = `${base}/report`;
  follower = null;
  job = follow(base, {
    onData(view) {
      state.cancel = isOver(view.status) || !view.urls?.cancel ? null : here(view.urls.cancel);
      if (state.again) takeOver(view);
      else if (view.status === 'failed' || view.status === 'canceled') {
        Object.assign(state, { phase: null, pending: false, error: { detail: view.error ?? w.state.canceled } });
        follower?.stop();
        draw();
        return false;
      }
      state.done = isOver(view.status);
      // Before the archive is unpacked there is no report.
      if (!follower && (state.done || !['queued', 'unpack'].includes(view.stage))) look();
      else if (state.done) follower?.now();
      return state.done ? false : 1;
    },
    onGone(e) { setId(null); Object.assign(state, { phase: null, error: e }); pictures.list = []; draw(); },
  });
}

function look() {
  follower = follow(pictures.report, {
    onData(report) {
      state.report = report;
      if (report.pictures?.length) pictures.take(report.pictures);
      const ready = state.done && pictures.list.length > 0 && pictures.ready.length === pictures.list.length;
      const now = ready && state.phase !== 'ready';
      if (now) { state.phase = 'ready'; say(w.start.good(pictures.good.length, pictures.list.length)); }
      draw();
      if (now && pictures.edits.size) pictures.repeatEdits().then(() => { if (state.pending) start(); });
      else if (ready && state.pending) start();
      return ready ? 5 : 1;
    },
    onGone(e) { Object.assign(state, { phase: null, error: e }); draw(); },
  });
}

/** "Again with other settings": its name, its word and what it was given. */
function takeOver(training) {
  const { token_string, input_images, ...given } = Object.fromEntries(Object.entries(training.input ?? {}).filter(([, value]) => value !== null));
  Object.assign(state, { name: nameOf(targetOf(training)), word: token_string ?? state.word, values: given, kind: 'other' });
}

// --- start ---

async function start(e) {
  e?.preventDefault();
  if (state.starting) return;
  state.need = !state.archive && !state.id ? w.start.needPictures : !state.name.trim() ? w.start.needName : null;
  if (state.need) { say(state.need); return draw(); }
  if (state.phase !== 'ready') { state.pending = true; say(w.start.goWhenReady); return draw(); }
  Object.assign(state, { starting: true, pending: false, error: null, errors: {} });
  draw();
  try {
    const made = await post('/v1/trainings', { check: state.id, name: state.name.trim(), input: input() });
    location.assign(`/trainings/${made.id}`);
  } catch (e) {
    Object.assign(state, { starting: false, error: e, errors: e.fields ?? {} });
    draw();
  }
}

function setKind(kind) {
  if (kind === state.kind) return;
  state.kind = kind;
  draw();
  if (state.archive && state.phase) check();
}

function setValue(field, value) {
  state.values = { ...state.values, [field.name]: value === undefined || value === field.default ? undefined : value };
  draw();
  if (settled.includes(field.name) && state.archive && state.phase) check();
}

// --- drawing ---

function dropZone() {
  return html`<div class="drop">
    <strong>${w.start.drop}</strong><p class="muted">${w.start.dropMore}</p>
    <div class="row"><button type="button" @click=${() => document.getElementById('files').click()}>${w.start.choose}</button>
      <button type="button" class="secondary outline" @click=${() => document.getElementById('folder').click()}>${w.start.chooseFolder}</button>
      <button type="button" class="secondary outline" @click=${example}>${w.start.example}</button></div></div>`;
}

function kindChoice() {
  return html`<fieldset class="choices"><legend>${w.start.kind}</legend>${Object.keys(kinds).map(kind => html`<label class="choice"><input type="radio" name="kind" value=${kind} .checked=${state.kind === kind}
    @change=${() => setKind(kind)}><span><svg viewBox="0 0 48 48" fill="currentColor" aria-hidden="true">${icons[kind]}</svg><b>${w.start.kinds[kind][0]}</b><small>${w.start.kinds[kind][1]}</small></span></label>`)}</fieldset>`;
}

function progressOf() {
  if (state.phase === 'packing') return html`<p>${w.start.packing}</p><progress aria-label=${w.start.uploadLabel}></progress>`;
  if (state.phase === 'sending') return html`<p>${w.start.uploading(state.sent, state.total)}</p><progress aria-label=${w.start.uploadLabel} value=${state.sent} max=${state.total || 1}></progress>`;
  if (state.phase === 'looking') {
    const all = pictures.list.length, ready = pictures.ready.length;
    return html`<p>${w.start.looking(ready, all)}</p><progress aria-label=${w.start.lookingLabel} value=${all ? ready : nothing} max=${all || nothing}></progress>`;
  }
  return nothing;
}

function quote() {
  const q = state.report?.quote;
  if (!q) return nothing;
  const parts = [
    q.seconds ? w.start.quoteTime(...q.seconds) : null, q.price ? w.start.quotePrice(...q.price, q.currency) : null,
    q.seconds_to_start === null || q.seconds_to_start === undefined ? null : w.start.quoteStart(q.seconds_to_start),
    q.queue_place === null || q.queue_place === undefined ? null : w.start.quoteAhead(Math.max(0, q.queue_place - 1)), q.memory_bytes ? w.start.quoteMemory(q.memory_bytes) : null,
  ].filter(Boolean);
  const sources = Object.values(q.sources ?? {});
  return html`<section aria-labelledby="quote"><h2 id="quote">${w.start.quote}</h2><p>${parts.join(' · ')}</p>
    ${sources.length ? html`<details><summary>${w.start.quoteHow}</summary><ul>${sources.map(s => html`<li>${s}</li>`)}</ul></details>` : nothing}</section>`;
}

function names() {
  const common = ordinary.has(state.word.trim().toLowerCase());
  return html`<div class="row">
    <label>${w.start.name}<input .value=${state.name} maxlength="64" aria-describedby="name-help" @input=${e => { state.name = e.target.value; state.need = null; draw(); }}><small id="name-help">${state.errors.name ?? w.start.nameHelp}</small></label>
    <label>${w.start.word}<input dir="auto" .value=${state.word} maxlength="100" aria-describedby="word-help" @change=${e => { state.word = e.target.value; draw(); if (state.archive && state.phase) check(); }}><small id="word-help" class=${common ? 'warn' : ''}>${common ? w.start.wordCommon(state.word) : w.start.wordHelp}</small></label></div>`;
}

function go() {
  const all = pictures.list.length;
  const text = state.starting ? w.start.starting : state.pending ? w.start.goWhenReady : w.start.go;
  return html`<div class="go row"><button aria-busy=${state.starting ? 'true' : nothing}>${text}</button>
    <p class="muted">${state.need ?? (state.pending ? w.start.needReady(pictures.ready.length, all) : w.start.steps(input().max_train_steps ?? stepsByDefault()))}</p></div>`;
}

const stepsByDefault = () => state.fields.find(f => f.name === 'max_train_steps')?.default ?? 1000;

function lastTrainings() {
  if (!state.last?.length) return nothing;
  return html`<section aria-labelledby="last"><h2 id="last">${w.start.last}</h2><ul>${state.last.map(t => html`<li><a href="/trainings/${t.id}">${nameOf(targetOf(t))}</a>
    <span class="state ${t.status}">${w.state[t.status]}</span> <span class="muted">${since(t.created_at)}</span></li>`)}</ul><p><a href="/trainings">${w.start.all}</a></p></section>`;
}

function draw() {
  const busy = state.phase !== null || state.id;
  show(html`<h1>${w.start.title}</h1><p class="lead">${w.start.lead}</p>
    <form @submit=${start} novalidate>
      ${busy ? nothing : dropZone()}
      <input id="files" hidden type="file" multiple aria-label=${w.start.choose} @change=${e => chosen(e.target)}>
      <input id="folder" hidden type="file" webkitdirectory aria-label=${w.start.chooseFolder} @change=${e => chosen(e.target)}>
      ${problem(state.error)}
      ${kindChoice()}
      ${busy ? html`${names()}<section aria-labelledby="pictures"><h2 id="pictures">${w.start.files}</h2>
        ${progressOf()}${pictures.verdict()}${pictures.template()}${leftOut(state.report?.skipped)}${warningsOf(state.report?.warnings)}
        <p><button type="button" class="small outline secondary" @click=${restart}>${w.start.again}</button></p></section>
        ${quote()}` : nothing}
      ${state.fields.length ? html`<details id="settings"><summary>${w.start.settings} (${count(state.fields.length)})</summary>${form(state.fields, { ...kinds[state.kind], ...state.values }, setValue,
          { search: state.search, onSearch: text => { state.search = text; draw(); }, errors: state.errors })}</details>${chips(state.values, setValue)}` : nothing}
      ${go()}
    </form>
    ${busy && state.phase === 'ready' ? pictures.bulk() : nothing}
    ${lastTrainings()}`);
}

function chosen(control) {
  take([...control.files].map(file => ({ file, path: file.webkitRelativePath || file.name })));
  control.value = '';
}

async function example() {
  state.phase = 'packing';
  draw();
  const answer = await fetch(`${document.body.dataset.files}examples/gizmo.zip`);
  take([{ file: new File([await answer.blob()], 'gizmo.zip', { type: 'application/zip' }), path: 'gizmo.zip' }]);
}

function restart() {
  follower?.stop();
  job?.stop();
  sending?.abort();
  setId(null);
  Object.assign(state, { archive: null, phase: null, report: null, error: null, pending: false });
  pictures.list = [];
  draw();
}

// The whole window takes a drop; a paste does the same.
let over = 0;
addEventListener('dragenter', e => { e.preventDefault(); over++; document.body.classList.add('dragging'); });
addEventListener('dragleave', () => { if (--over <= 0) document.body.classList.remove('dragging'); });
addEventListener('dragover', e => e.preventDefault());
addEventListener('drop', async e => {
  e.preventDefault();
  over = 0;
  document.body.classList.remove('dragging');
  const plain = [...e.dataTransfer.files].map(file => ({ file, path: file.name }));
  const walked = await entriesOf(e.dataTransfer.items);
  take(walked.length ? walked : plain);
});
addEventListener('paste', e => {
  const files = [...(e.clipboardData?.files ?? [])];
  if (files.length) take(files.map((file, i) => ({ file, path: file.name === 'image.png' ? `pasted-${i + 1}.png` : file.name })));
});
addEventListener('beforeunload', e => { if (state.phase === 'sending') e.preventDefault(); });

setTitle(w.start.title);
draw();
if (state.id) watch();
Promise.all([getOr('/v1/schema/training', null), getOr('/v1/trainings', { results: [] })]).then(([schema, trainings]) => {
  state.fields = fieldsOf(schema).filter(f => f.name !== 'input_images');
  state.last = trainings.results.slice(0, 3);
  draw();
}, e => { if (e.status !== 401) { state.error = e; draw(); } });
