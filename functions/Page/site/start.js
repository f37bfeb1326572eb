// Start: drop, look, start. What is uploaded is a check; its address is kept in the page's (?check=ID), so that a reload or another device
// goes on from there.
import {
  html, nothing, show, call, get, getOr, post, upload, follow, say, problem, setTitle, isOver, here, targetOf, nameOf,
} from './app.js';
import { w, count, since } from './words.js';
import { Pictures, leftOut, warningsOf } from './pictures.js';
import { fieldsOf, form, chips } from './settings.js';
import { kinds, icons, presetOf, settled, ordinary } from './kinds.js';
import { onFiles, packed, isPicture, isArchive, isMask, isMeant, nameOfArchive } from './drop.js';

const query = new URLSearchParams(location.search);
const state = {
  id: /^\/checks\/([^/]+)/.exec(location.pathname)?.[1] ?? query.get('check') ?? query.get('again'),
  again: query.has('again'),
  from: query.get('from'),
  kind: 'thing',
  name: '',
  word: 'TOK',
  base: null,
  values: {},
  taken: null,
  fields: [],
  search: '',
  archive: null,
  phase: null,
  sent: 0,
  total: 0,
  report: null,
  done: false,
  cancel: null,
  error: null,
  errors: {},
  pending: false,
  starting: false,
  need: null,
  last: null,
};
const pictures = new Pictures({ draw });
let follower, job, sending, taking = null, parent = null;

/** The pictures are on the service already, prepared as they were asked for then: what shaped them stands. */
const isReused = () => state.id !== null && state.archive === null;

/** Settings are those of another training or version, to be changed; no kind of subject stands over them. */
const hasOwnSettings = () => isReused() || state.from !== null;

const hasSettings = () => !hasOwnSettings() || state.taken !== null;

/**
 * Everything that the training is asked for: the kind's settings, then what was changed by hand. On pictures that are there already: what
 * differs from what they were
 * sent with; a setting that was taken back is said, too, since what is left out stays as it was.
 */
function input() {
  const all = everything();
  if (all.is_lora === false) delete all.keep_checkpoints; // of a LoRA alone
  return all;
}

function everything() {
  const changed = Object.fromEntries(Object.entries(state.values).filter(([, value]) => value !== undefined));
  const word = state.word.trim() || 'TOK';
  if (!hasOwnSettings()) return { token_string: word, ...presetOf(state.kind, word), held_out_pictures: spared(), ...changed };
  const back = Object.keys(state.taken ?? {}).filter(name => changed[name] === undefined);
  return {
    token_string: word,
    ...changed,
    ...Object.fromEntries(back.map(name => [name, state.fields.find(f => f.name === name)?.default ?? null])),
  };
}

// --- files in ---

async function take(list) {
  const files = list.filter(isMeant);
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
    const shown = files.filter(f => isPicture(f.path) && !isMask(f.path));
    for (const f of shown) pictures.local.set(f.path, URL.createObjectURL(f.file));
    pictures.list = shown.map((f, index) => ({ index, name: f.path, state: 'waiting', warnings: [] }));
    draw();
    state.archive = await packed(files);
  }
  pictures.edits.clear();
  await parent; // what the version was made with shapes these pictures, too
  if (!state.name) state.name = nameOfArchive(state.archive.name);
  await check();
}

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
  pictures.saved.clear();
  Object.assign(state, { phase: 'sending', sent: 0, total: state.archive.blob.size, report: null, error: null });
  draw();
  const body = new FormData();
  body.append('input_images', state.archive.blob, state.archive.name);
  for (const [name, value] of Object.entries(input())) body.append(name, String(value));
  if (state.name) body.append('name', state.name);
  if (state.base) body.append('base', state.base);
  const mine = sending = upload('/v1/checks', body, (sent, total) => { Object.assign(state, { sent, total }); draw(); });
  try {
    const made = await mine.answer;
    setId(made.id);
    watch();
  } catch (e) {
    if (e.name === 'AbortError') return;
    // Without an answer the archive is kept: the button sends it again.
    Object.assign(state, { phase: null, error: e, pending: false, archive: e.status === 0 ? state.archive : null });
  }
  if (sending === mine) sending = null;
  draw();
}

function setId(id) {
  Object.assign(state, { id, again: false });
  toAddress();
}

function toAddress() {
  const said = new URLSearchParams({
    ...(state.id ? { [state.again ? 'again' : 'check']: state.id } : {}),
    ...(state.from ? { from: state.from } : {}),
  });
  history.replaceState(null, '', said.size ? `/?${said}` : '/');
}

/** Whether nothing is prepared any more: the check or training has come past its pictures. */
const isPrepared = view => isOver(view.status) || !['queued', 'unpack', 'prepare', 'manifest'].includes(view.stage);

function watch() {
  const base = state.again ? `/v1/trainings/${state.id}` : `/v1/checks/${state.id}`;
  Object.assign(state, { phase: 'looking', done: false });
  pictures.address = state.again ? null : index => `${base}/pictures/${index}`; // a training's own pictures stay as it was trained on
  pictures.report = `${base}/report`;
  follower = null;
  job = follow(base, {
    onData(view) {
      // A check that nobody waits for is cancelled; a training whose pictures are only looked at goes on.
      state.cancel = state.again || isOver(view.status) || !view.urls?.cancel ? null : here(view.urls.cancel);
      if (!state.again && (view.status === 'failed' || view.status === 'canceled'))
        return ended({ detail: view.error ?? w.state.canceled });
      if (isReused() && (isOver(view.status) || !['queued', 'unpack'].includes(view.stage))) takeOver(view);
      if (view.data_removed) return ended({ detail: w.start.removed });
      // A training's own pictures are its own: what goes on in it changes nothing of them once they are prepared.
      state.done = isPrepared(view);
      // Before the archive is unpacked there is no report.
      if (!follower && (state.done || !['queued', 'unpack'].includes(view.stage))) look();
      else if (state.done) follower?.now();
      return state.done && hasSettings() ? false : 1;
    },
    onGone: ended,
  });
}

/** No training can be made of it: what was typed is kept, other pictures are asked for. */
function ended(error) {
  follower?.stop();
  job?.stop();
  setId(null);
  Object.assign(state, { phase: null, pending: false, archive: null, error });
  pictures.list = [];
  draw();
  return false;
}

function look() {
  follower = follow(pictures.report, {
    onData(report, asked) {
      state.report = report;
      if (report.pictures?.length) pictures.take(report.pictures, asked);
      // A training that ended before all were prepared leaves the rest to the next one.
      const ready =
        state.done && hasSettings() && pictures.list.length > 0 && (state.again || pictures.ready.length === pictures.list.length);
      const now = ready && state.phase !== 'ready';
      if (now) { state.phase = 'ready'; say(w.start.good(pictures.good.length, pictures.list.length)); }
      draw();
      if (now && pictures.edits.size) pictures.repeatEdits().then(() => { if (state.pending) start(); });
      else if (ready && state.pending) start();
      return ready ? 5 : 1;
    },
    onGone: ended,
  });
}

/**
 * What the pictures were sent with, of the check or training that has them: its name, its word, its base and every setting that differs
 * from its default.
 */
function takeOver({ base, input: given, ...view }) {
  if (!state.name) state.name = nameOf(targetOf(view));
  taking ??= own({ base, word: given?.token_string, given }, name => !settled.includes(name))
    .catch(() => { taking = null; }); // no answer: the next round asks again
}

/** Settings of another training become the ones here. */
async function own({ base, word, given }, isTaken = () => true) {
  await defaults(base);
  const of = Object.fromEntries(state.fields.map(f => [f.name, f]));
  const differs = ([name, value]) => value !== null && name !== 'token_string' && of[name] && isTaken(name) && value !== of[name].default;
  const taken = Object.fromEntries(Object.entries(given ?? {}).filter(differs));
  Object.assign(state, { base: base ?? null, word: word ?? state.word, taken, values: { ...taken, ...state.values } });
  draw();
  follower?.now();
}

/** The fields with the defaults of a base model; none: of the service's own. */
async function defaults(base) {
  const schema = await getOr(`/v1/schema/training${base ? `?base=${encodeURIComponent(base)}` : ''}`, null);
  state.fields = fieldsOf(schema).filter(f => f.name !== 'input_images');
}

/** "Train further" on other pictures: the version's own word, base and settings are begun with, since its weights fit no others. */
async function takeFrom() {
  const [model, id] = state.from.split(':');
  const newest = id ?? (await getOr(`/v1/models/${model}`, null))?.latest_version?.id;
  const found = newest ? await getOr(`/v1/models/${model}/versions/${newest}`, null) : null;
  if (!found) return leaveFrom({ detail: w.start.fromGone(state.from) });
  state.from = `${model}:${newest}`;
  if (state.id) return; // the training whose pictures are taken says its settings
  const manifest = await get(found.files['manifest.json']);
  state.name ||= nameOf(model);
  await own({ base: found.base, word: manifest.trigger, given: manifest.inputs });
}

/** Begins anew, not with a version's weights. */
function leaveFrom(error = null) {
  Object.assign(state, { from: null, error });
  toAddress();
  draw();
}

// --- start ---

async function start(e) {
  e?.preventDefault();
  if (state.starting) return;
  state.need = state.phase === null && !state.archive ? w.start.needPictures : !state.name.trim() ? w.start.needName : null;
  if (state.need) { say(state.need); return draw(); }
  if (state.phase === null) check();
  if (state.phase !== 'ready') { state.pending = true; say(w.start.goWhenReady); return draw(); }
  Object.assign(state, { starting: true, pending: false, error: null, errors: {} });
  draw();
  try {
    const made = await post('/v1/trainings', {
      check: state.id,
      name: state.name.trim(),
      ...(state.base ? { base: state.base } : {}),
      ...(state.from ? { from: state.from } : {}),
      input: input(),
    });
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
    <strong>${w.start.drop}</strong>
    <p class="muted">${w.start.dropMore}</p>
    <div class="row">
      <button type="button" @click=${() => document.getElementById('files').click()}>${w.start.choose}</button>
      <button type="button" class="secondary outline" @click=${() => document.getElementById('folder').click()}>
        ${w.start.chooseFolder}
      </button>
      <button type="button" class="secondary outline" @click=${example}>${w.start.example}</button>
    </div>
  </div>`;
}

function kindChoice() {
  return html`<fieldset class="choices">
    <legend>${w.start.kind}</legend>
    ${Object.keys(kinds).map(
      kind =>
        html`<label class="choice"
          ><input type="radio" name="kind" value=${kind} .checked=${state.kind === kind} @change=${() => setKind(kind)} /><span
            ><svg viewBox="0 0 48 48" fill="currentColor" aria-hidden="true">${icons[kind]}</svg><b>${w.start.kinds[kind][0]}</b
            ><small>${w.start.kinds[kind][1]}</small></span
          ></label
        >`,
    )}
  </fieldset>`;
}

function progressOf() {
  if (state.phase === 'packing')
    return html`<p>${w.start.packing}</p>
      <progress aria-label=${w.start.uploadLabel}></progress>`;
  if (state.phase === 'sending')
    return html`<p>${w.start.uploading(state.sent, state.total)}</p>
      <progress aria-label=${w.start.uploadLabel} value=${state.sent} max=${state.total || 1}></progress>`;
  if (state.phase === 'looking') {
    const all = pictures.list.length,
      ready = pictures.ready.length;
    return html`<p>${w.start.looking(ready, all)}</p>
      <progress aria-label=${w.start.lookingLabel} value=${all ? ready : nothing} max=${all || nothing}></progress>`;
  }
  return nothing;
}

function quote() {
  const q = state.report?.quote;
  if (!q) return nothing;
  const parts = [
    q.seconds ? w.start.quoteTime(...q.seconds) : null, q.price ? w.start.quotePrice(...q.price, q.currency) : null,
    q.seconds_to_start === null || q.seconds_to_start === undefined ? null : w.start.quoteStart(q.seconds_to_start),
    q.queue_place === null || q.queue_place === undefined ? null : w.start.quoteAhead(Math.max(0, q.queue_place - 1)),
    q.memory_bytes ? w.start.quoteMemory(q.memory_bytes) : null,
  ].filter(Boolean);
  const sources = Object.values(q.sources ?? {});
  return html`<section aria-labelledby="quote">
    <h2 id="quote">${w.start.quote}</h2>
    <p>${parts.join(' · ')}</p>
    ${
      sources.length
        ? html`<details>
            <summary>${w.start.quoteHow}</summary>
            <ul>
              ${sources.map(s => html`<li>${s}</li>`)}
            </ul>
          </details>`
        : nothing
    }
  </section>`;
}

function wordHelp(isCommon) {
  if (state.from) return w.start.wordOfVersion;
  if (isReused()) return w.start.wordOfPictures;
  return isCommon ? w.start.wordCommon(state.word) : w.start.wordHelp;
}

function names() {
  const common = ordinary.has(state.word.trim().toLowerCase());
  return html`<div class="row">
    <label
      >${w.start.name}<input
        .value=${state.name}
        maxlength="64"
        aria-describedby="name-help"
        @input=${e => {
          state.name = e.target.value;
          state.need = null;
          draw();
        }}
      /><small id="name-help">${state.errors.name ?? w.start.nameHelp}</small></label
    >
    <label
      >${w.start.word}<input
        dir="auto"
        .value=${state.word}
        maxlength="100"
        ?readonly=${hasOwnSettings()}
        aria-describedby="word-help"
        @change=${e => {
          state.word = e.target.value;
          draw();
          if (state.archive && state.phase) check();
        }}
      /><small id="word-help" class=${common ? 'warn' : ''}
        >${wordHelp(common)}</small
      ></label
    >
  </div>`;
}

function go() {
  const all = pictures.list.length;
  const text = state.starting ? w.start.starting : state.pending ? w.start.goWhenReady : w.start.go;
  return html`<div class="go row">
    <button aria-busy=${state.starting ? 'true' : nothing}>${text}</button>
    <p class="muted">
      ${state.need ??
      (state.pending ? w.start.needReady(pictures.ready.length, all) : w.start.steps(input().max_train_steps ?? stepsByDefault()))}
    </p>
  </div>`;
}

/** Settings that have a box of their own beside the button. */
const boxed = ['keep_checkpoints', 'held_out_pictures'];

/** What holds of a setting, whoever has set it. */
const held = name => input()[name] ?? state.fields.find(f => f.name === name)?.default;

/** Whether the rows of sample pictures keep their weights, and what each takes at this rank. */
function keep() {
  const field = state.fields.find(f => f.name === 'keep_checkpoints');
  if (!field || held('is_lora') === false || !held('sample_prompts')) return nothing;
  const each = field['x-bytes-per-rank']?.[held('lora_targets')];
  return html`<p>
    <label
      ><input
        type="checkbox"
        id="keep"
        aria-describedby="keep-help"
        .checked=${held('keep_checkpoints') === true}
        @change=${e => {
          state.values = { ...state.values, keep_checkpoints: e.target.checked };
          draw();
        }}
      />${w.start.keep(each ? each * held('lora_rank') : 0)}</label
    ><small id="keep-help">${w.start.keepHelp}</small>
  </p>`;
}

/** How many pictures may be spared to find the best step with: few pictures are all needed. */
const spared = () => Math.min(2, Math.floor(pictures.used.length / 8));

/** Whether pictures are kept aside. */
function aside() {
  if (!state.fields.some(f => f.name === 'held_out_pictures')) return nothing;
  const n = held('held_out_pictures');
  return html`<p><label><input type="checkbox" id="aside" aria-describedby="aside-help" .checked=${n > 0}
    @change=${e => { state.values = { ...state.values, held_out_pictures: e.target.checked ? Math.max(1, spared()) : 0 }; draw(); }}>
    ${w.start.aside(n || Math.max(1, spared()))}</label><small id="aside-help">${w.start.asideHelp}</small></p>`;
}

const stepsByDefault = () => state.fields.find(f => f.name === 'max_train_steps')?.default ?? 1000;

function lastTrainings() {
  if (!state.last?.length) return nothing;
  return html`<section aria-labelledby="last">
    <h2 id="last">${w.start.last}</h2>
    <ul>
      ${state.last.map(
        t =>
          html`<li>
            <a href="/trainings/${t.id}">${nameOf(targetOf(t))}</a> <span class="state ${t.status}">${w.state[t.status]}</span>
            <span class="muted">${since(t.created_at)}</span>
          </li>`,
      )}
    </ul>
    <p><a href="/trainings">${w.start.all}</a></p>
  </section>`;
}

function draw() {
  const busy = state.phase !== null || state.id;
  const fields = state.fields.filter(f => !boxed.includes(f.name) && !(isReused() && settled.includes(f.name)));
  show(
    html`<h1>${w.start.title}</h1>
      <p class="lead">${w.start.lead}</p>
      <form @submit=${start} novalidate>
        ${busy ? nothing : dropZone()}
        <input id="files" hidden type="file" multiple aria-label=${w.start.choose} @change=${e => chosen(e.target)} />
        <input id="folder" hidden type="file" webkitdirectory aria-label=${w.start.chooseFolder} @change=${e => chosen(e.target)} />
        ${problem(state.error)}
        ${
          state.from
            ? html`<div class="note">
                <p>
                  ${w.start.from(state.from.replace(/:(.{8}).*/, ':$1'))}
                  <button type="button" class="small outline secondary" @click=${() => leaveFrom()}>${w.start.fromLeave}</button>
                </p>
              </div>`
            : nothing
        }
        ${hasOwnSettings() ? nothing : kindChoice()}
        ${
          busy
            ? html`${names()}
                <section aria-labelledby="pictures">
                  <h2 id="pictures">${w.start.files}</h2>
                  ${progressOf()}${pictures.verdict()}${pictures.template()}${leftOut(state.report?.skipped)}${
                    warningsOf(state.report?.warnings)}
                  <p>
                    <button type="button" class="small outline secondary" @click=${restart}>
                      ${state.phase === 'sending' ? w.start.cancelUpload : w.start.again}
                    </button>
                  </p>
                </section>
                ${quote()}${keep()}${aside()}`
            : nothing
        }
        ${
          fields.length
            ? html`<details id="settings">
                  <summary>${w.start.settings} (${count(fields.length)})</summary>
                  ${form(fields, { ...(hasOwnSettings() ? {} : kinds[state.kind]), ...state.values }, setValue, {
                    search: state.search,
                    onSearch: text => {
                      state.search = text;
                      draw();
                    },
                    errors: state.errors,
                  })}
                </details>
                ${chips({ ...state.values, keep_checkpoints: undefined, held_out_pictures: undefined }, setValue)}`
            : nothing
        }
        ${go()}
      </form>
      ${busy && state.phase === 'ready' && pictures.address ? pictures.bulk() : nothing} ${lastTrainings()}`,
  );
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
  sending?.abort();
  if (state.cancel) call('POST', state.cancel).catch(() => {}); // nobody waits for it any more
  Object.assign(state, { report: null, cancel: null });
  ended(null);
  if (state.from) return; // its settings are the version's still
  taking = state.taken = state.base = null;
  state.values = {};
  defaults(null).then(draw, e => { state.error = e; draw(); });
}

onFiles(take);
addEventListener('beforeunload', e => { if (state.phase === 'sending') e.preventDefault(); });

setTitle(w.start.title);
draw();
if (state.id) watch();
if (state.from) parent = takeFrom().catch(failed);
else if (!state.id) defaults(null).then(draw, failed);
getOr('/v1/trainings', { results: [] }).then(trainings => { state.last = trainings.results.slice(0, 3); draw(); }, failed);

function failed(e) {
  if (e.status !== 401) { state.error = e; draw(); }
}
