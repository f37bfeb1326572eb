// One training from the first picture to the finished model. The state is the server's alone: a reload, another device or a killed host
// changes nothing here.
import {
  html,
  nothing,
  show,
  call,
  get,
  post,
  follow,
  say,
  problem,
  gone,
  confirmed,
  setTitle,
  isOver,
  here,
  nameOf,
  targetOf,
  save,
} from './app.js';
import { w, count, date, duration, bytes } from './words.js';
import { Pictures, leftOut, warningsOf } from './pictures.js';
import { Samples } from './samples.js';
import { Curve } from './curve.js';

const id = location.pathname.split('/')[2];
const state = {
  t: null,
  report: null,
  log: null,
  logOpen: false,
  logFollow: true,
  logFind: '',
  error: null,
  stopping: false,
  sampling: null,
  notify: false,
  tenth: -1,
  manifest: null,
  steps: [],
  shown: false,
  kept: [],
  keptUntil: null,
  publishing: null,
};
const pictures = new Pictures({ draw });
const keptOf = step => state.kept.find(k => k.step === step) ?? null;
const samples = new Samples({ draw, ofStep: rowOf, useCheckpoint(s) {
  const version = keptOf(s.step)?.version ?? state.t.output?.version;
  return `/play?${new URLSearchParams({ ...(version ? { version } : {}), prompt: s.prompt, seed: s.seed })}`;
} });
let result = null;
const curve = new Curve({ draw, onRead: step => samples.mark(step) });

const follower = follow(`/v1/trainings/${id}`, {
  onData(t) {
    const before = state.t;
    state.t = t;
    if (t.urls?.events && !isOver(t.status)) follower?.listen(here(t.urls.events));
    announce(before, t);
    timeSteps(t);
    const settled = details(t, before);
    // The first time all comes at once, so that nothing moves under the reader; whatever is slow does not hold up the rest.
    if (!state.shown) Promise.race([settled, new Promise(done => setTimeout(done, 1500))]).then(() => { state.shown = true; draw(); });
    draw();
    if (isOver(t.status)) return false;
    return t.progress?.seconds_left < 10 ? 1 : 2;
  },
  onGone(e) { show(gone(e)); },
});

/** What belongs to a training beside itself, each asked for only where the service has it and it may have grown. */
async function details(t, before) {
  try {
    const jobs = [];
    const grown = !before || before.progress?.step !== t.progress?.step || before.status !== t.status;
    if (t.urls?.metrics && grown) jobs.push(metrics(t));
    if (t.urls?.samples && grown) jobs.push(newSamples(t));
    if (t.urls?.checkpoints && t.input?.keep_checkpoints && grown) jobs.push(kept(t));
    if (t.urls?.report && !['queued', 'unpack'].includes(t.stage) && !(state.report && t.stage === before?.stage && t.stage !== 'prepare'))
      jobs.push(report(t));
    if (state.logOpen && grown) jobs.push(log());
    if (t.output?.files?.['manifest.json'] && !state.manifest) jobs.push(manifest(t));
    if (isOver(t.status) && !result) jobs.push(import('./result.js').then(found => { result = found; }));
    await Promise.all(jobs);
  } catch (e) {
    if (!(e.status === 0 || e.status === 404)) state.error = e; // no answer: the next round asks again
  }
  draw();
}

async function metrics(t) {
  const more = await get(`${here(t.urls.metrics)}?after=${curve.last}`);
  if (more?.points) { curve.take(more.points, []); curve.pending = true; }
}

async function newSamples(t) {
  const list = await get(here(t.urls.samples));
  const before = samples.results.length, more = samples.take(list.results);
  if (state.sampling !== null && samples.steps.length > state.sampling) state.sampling = null;
  if (before && more > 0 && !isOver(t.status)) say(w.training.announceSamples(more));
}

async function kept(t) {
  const list = await get(here(t.urls.checkpoints));
  Object.assign(state, { kept: list.results, keptUntil: list.expires_at ?? null });
}

async function report(t) {
  state.report = await get(here(t.urls.report));
  if (state.report?.pictures) pictures.take(state.report.pictures);
}

async function manifest(t) {
  try {
    state.manifest = (await (await fetch(t.output.files['manifest.json'], { credentials: 'same-origin' })).json()).files ?? [];
  } catch {
    state.manifest = [];
  }
}

async function log() {
  if (!state.t.urls?.logs) { state.log = state.t.logs ?? ''; return draw(); }
  state.log = (await call('GET', `${here(state.t.urls.logs)}?tail=2000`, { headers: { accept: 'text/plain' } })).data ?? '';
  draw();
}

function announce(before, t) {
  const name = nameOf(targetOf(t)), part = partOf(t);
  setTitle(t.status === 'processing' && part ? w.training.titleRunning(part, name) : `${w.state[t.status]} · ${name}`);
  icon(isOver(t.status) ? null : part);
  if (before && before.stage !== t.stage) say(w.training.announceStage(w.stage[t.stage] ?? t.stage));
  const tenth = part === null ? -1 : Math.floor(part * 10);
  if (tenth > state.tenth && state.tenth >= 0) say(w.training.announcePart(tenth / 10));
  state.tenth = tenth;
  if (before && !isOver(before.status) && isOver(t.status)) {
    say(t.status === 'succeeded' ? w.training.notified(name) : w.state[t.status]);
    if (state.notify && globalThis.Notification?.permission === 'granted')
      new Notification(t.status === 'succeeded' ? w.training.notified(name) : `${name}: ${w.state[t.status]}`);
  }
}

const partOf = t => (t.progress?.total_steps ? t.progress.step / t.progress.total_steps : null);

/** The tab's icon as a ring. */
function icon(part) {
  const link = document.querySelector('link[rel=icon]');
  link.dataset.plain ??= link.href;
  const circle = (color, more = '') => `<circle cx="16" cy="16" r="12" fill="none" stroke="${color}" stroke-width="6"${more}/>`;
  const dash = ` pathLength="100" stroke-dasharray="${Math.round(part * 20) * 5} 100" transform="rotate(-90 16 16)"`;
  const ring = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${circle('#aab')}${circle('#3c5bd6', dash)}</svg>`;
  const wanted = part === null ? link.dataset.plain : `data:image/svg+xml,${encodeURIComponent(ring)}`;
  if (link.href !== wanted) link.href = wanted;
}

/** Seconds a step, from what was seen, for "this takes longer than usual". */
function timeSteps(t) {
  const step = t.progress?.step ?? 0, last = state.steps.at(-1);
  if (t.stage === 'train' && (!last || last.step !== step)) state.steps = [...state.steps, { step, at: Date.now() }].slice(-20);
}

function slowness() {
  const s = state.steps;
  if (s.length < 4 || state.t.stage !== 'train' || isOver(state.t.status)) return null;
  const times = s.slice(1).map((x, i) => (x.at - s[i].at) / 1000 / Math.max(1, x.step - s[i].step)).sort((a, b) => a - b);
  const usual = times[Math.floor(times.length / 2)], now = (Date.now() - s.at(-1).at) / 1000;
  return now > Math.max(5, 5 * usual) ? w.training.slow(now, usual) : null;
}

// --- actions ---

async function act(what) {
  state.error = null;
  try { await what(); } catch (e) { state.error = e; }
  draw();
}

const stop = () => act(async () => { await post(here(state.t.urls.stop)); state.stopping = true; follower.now(); });

const sampleNow = () =>
  act(async () => {
    await post(here(state.t.urls.sample));
    state.sampling = samples.steps.length;
    say(w.training.sampling);
    follower.now();
  });

/** Why no samples can be drawn now; null: they can. */
const whyNoSamples = t =>
  state.stopping
    ? w.training.stopping
    : !t.input?.sample_prompts
      ? w.training.samplingNone
      : !t.progress?.step
        ? w.training.samplingFirst
        : null;

const cancel = async () => {
  const p = state.t.progress;
  if (
    await confirmed({
      title: w.training.cancelTitle,
      body: w.training.cancelBody(p?.step ?? 0, p?.total_steps ?? 0),
      yes: w.training.cancelYes,
      no: w.training.cancelNo,
    })
  )
    await act(async () => {
      await post(here(state.t.urls.cancel));
      follower.now();
    });
};

/** A checkpoint's version; published first, if it is not yet. */
async function published(c) {
  state.publishing = c.step;
  draw();
  try {
    c.version ??= `${state.t.destination}:${(await post(here(c.urls.publish))).id}`;
    return c.version;
  } finally {
    state.publishing = null;
  }
}

const useCheckpoint = c =>
  act(async () => {
    const word = (state.t.input?.token_string ?? 'TOK').split('|')[0];
    const shown = samples.find(c.step, samples.columns[0]?.[0]);
    location.assign(
      `/play?${new URLSearchParams({ version: await published(c), prompt: shown?.prompt ?? `a photo of ${word}` })}`,
    );
  });

const publish = c => act(async () => { await published(c); say(`${w.play.step(c.step)} ${w.training.published} ${c.version}`); });

const remove = async () => {
  if (await confirmed({ title: w.training.deleteTitle, body: w.training.deleteBody, yes: w.training.deleteYes }))
    await act(async () => { await call('DELETE', `/v1/trainings/${id}`); location.assign('/trainings'); });
};

async function notify() {
  state.notify =
    globalThis.isSecureContext && globalThis.Notification ? (await Notification.requestPermission()) === 'granted' || true : true;
  draw();
}

const given = t => Object.fromEntries(Object.entries(t.input ?? {}).filter(([name, value]) => name !== 'input_images' && value !== null));

// --- drawing ---

const order = { queued: 0, unpack: 1, prepare: 1, manifest: 1, train: 2, publish: 3, done: 4 };

function head(t) {
  const p = t.progress ?? {}, at = order[t.stage] ?? 0, part = partOf(t), over = isOver(t.status);
  const facts = [
    !over && p.steps_per_second ? w.training.speed(p.steps_per_second) : null,
    !over && p.seconds_left ? w.training.left(p.seconds_left) : null,
    p.loss ? w.training.loss(p.loss) : null,
    p.device,
    p.memory_bytes ? w.training.memory(p.memory_bytes) : null,
    t.cost ? w.training.cost(t.cost.amount, t.cost.currency, over) : null,
    over && t.started_at && t.completed_at ? w.training.took((Date.parse(t.completed_at) - Date.parse(t.started_at)) / 1000) : null,
  ].filter(Boolean);
  const slow = slowness();
  return html`<div class="row apart">
      <h1>${nameOf(targetOf(t)) || id}</h1>
      <span class="state ${t.status}">${w.state[t.status]}</span>
    </div>
    <ol class="stages" aria-label=${w.training.progress}>
      ${w.stages.map(
        (name, i) => html`<li
          class=${i < at || t.status === 'succeeded' ? 'done' : ''} aria-current=${i === at && !over ? 'step' : nothing}>${name}</li>`
      )}
    </ol>
    ${
      over
        ? nothing
        : html`<p class="muted">${now(t)}</p>
            <progress aria-label=${w.training.progress} value=${part ?? nothing} max="1"></progress>`
    }
    <ul class="facts">
      ${facts.map(f => html`<li>${f}</li>`)}
    </ul>
    ${slow ? html`<div class="note"><p>${slow}</p></div>` : nothing}
    ${t.from
      ? html`<p>${w.training.from} <a href="/models/${t.from.split(':')[0]}">${t.from.replace(/:(.{8}).*/, ':$1')}</a></p>`
      : nothing}
    ${warningsOf(t.warnings)}
    ${
      over
        ? nothing
        : html`<div class="row">
              ${t.urls?.stop && t.stage === 'train'
                ? html`<button type="button" @click=${stop} ?disabled=${state.stopping}>${w.training.stop(p.step)}</button>`
                : nothing}
              ${t.urls?.sample && t.stage === 'train'
                ? html`<button type="button" class="outline" @click=${sampleNow} ?disabled=${Boolean(whyNoSamples(t))}
                    aria-busy=${state.sampling === null ? nothing : 'true'} aria-describedby="sampling">${w.training.sampleNow}</button>`
                : nothing}
              <button type="button" class="outline danger" @click=${cancel}>${w.training.cancel}</button>
              <button type="button" class="outline secondary" @click=${notify} aria-pressed=${state.notify ? 'true' : 'false'}>
                ${state.notify ? w.training.notifying : w.training.notify}
              </button>
            </div>
            ${t.stage === 'train'
              ? html`<p id="sampling" class="muted">${whyNoSamples(t) ?? (state.sampling === null ? '' : w.training.sampling)}</p>`
              : nothing}`
    }
    ${problem(state.error)}`;
}

/** What happens now, or when it begins. */
function now(t) {
  const p = t.progress ?? {}, q = t.quote;
  if (order[t.stage] === 1) return w.training.pictures(p.pictures_done ?? 0, p.pictures ?? 0);
  if (t.stage === 'train' && p.step) return w.training.step(p.step, p.total_steps);
  if (t.stage === 'publish') return w.stage.publish;
  const place = q?.queue_place > 1 ? w.start.quoteAhead(q.queue_place - 1) : null,
    wait = Number.isFinite(q?.seconds_to_start) ? w.start.quoteStart(q.seconds_to_start) : null;
  return place || wait ? [place, wait].filter(Boolean).join(' · ') : w.training.queue;
}

/** The checkpoint whose samples come next. */
function next(t) {
  const p = t.progress, every = t.input?.sample_every_steps;
  if (isOver(t.status) || t.stage !== 'train' || !every || !p?.total_steps) return null;
  const step = Math.min(p.total_steps, (Math.floor(p.step / every) + 1) * every);
  if (samples.steps.includes(step)) return null;
  const seconds = p.steps_per_second ? (step - p.step) / p.steps_per_second : null;
  return { step, seconds, text: seconds === null ? '' : duration(seconds) };
}

/** What was measured at a row of samples, and what can be done with it where its weights are kept. */
function rowOf(step) {
  const c = keptOf(step), error = curve.heldOut(step);
  const measured = error === null ? nothing : html`<br><small>${w.training.heldOut(error)}</small>`;
  if (!c) return measured;
  return html`${measured}
    <div class="kept">
      <button
        type="button"
        class="small outline"
        aria-label=${`${w.training.use}: ${w.play.step(step)}`}
        ?disabled=${state.publishing !== null}
        @click=${() => useCheckpoint(c)}
      >
        ${state.publishing === step ? w.training.using : w.training.use}
      </button>
      <details>
        <summary aria-label=${`${w.training.keptFiles}: ${w.play.step(step)}`}>${w.training.keptFiles}</summary>
        <ul>
          ${c.files.map(f => html`<li><a href=${f.url} download=${f.name}>${f.name}</a> ${bytes(f.bytes)}</li>`)}
        </ul>
      </details>
    </div>`;
}

function trainingSection(t) {
  const coming = next(t);
  return html`<section aria-labelledby="samples-title">
      <h2 id="samples-title">${w.training.samples}</h2>
      ${samples.results.length
        ? samples.template(coming)
        : html`<p class="muted">${t.input?.sample_prompts ? w.training.samplesNone : w.training.samplesOff}</p>`}
    </section>
    <section aria-labelledby="curve-title">
      <h2 id="curve-title">${w.training.curve}</h2>
      ${curve.template()}
    </section>`;
}

function logSection() {
  const text = state.log ?? '';
  const lines = state.logFind ? text.split('\n').filter(l => l.toLowerCase().includes(state.logFind.toLowerCase())) : null;
  return html`<details
    ?open=${state.logOpen}
    @toggle=${e => {
      if (state.logOpen !== e.target.open) {
        state.logOpen = e.target.open;
        if (state.logOpen)
          log().catch(x => {
            state.error = x;
            draw();
          });
        draw();
      }
    }}
  >
    <summary>${w.training.log}</summary>
    ${
      state.logOpen
        ? html`<div class="row">
              <label
                >${w.training.logFind}<input
                  type="search"
                  @input=${e => {
                    state.logFind = e.target.value;
                    draw();
                  }}
              /></label>
              <label
                ><input
                  type="checkbox"
                  role="switch"
                  .checked=${state.logFollow}
                  @change=${e => {
                    state.logFollow = e.target.checked;
                    draw();
                  }}
                />
                ${w.training.logFollow}</label
              >
              <button type="button" class="small outline secondary" @click=${() => save(text, `${id}.log`)}>
                ${w.training.logDownload}
              </button>
            </div>
            <pre
              class="log"
              tabindex="0"
              role="group"
              aria-label=${w.training.log}
              dir="auto"
              @wheel=${() => {
                state.logFollow = false;
                draw();
              }}
            >
${(lines ? lines.join('\n') : text) || w.training.logNone}</pre>`
        : nothing
    }
  </details>`;
}

let code = null;

/** Few look at it: its module comes when it is unfolded. */
const codeSection = t =>
  html`<details
    @toggle=${e => {
      if (e.target.open && !code)
        import('./code.js').then(
          found => {
            code = found;
            draw();
          },
          x => {
            state.error = x;
            draw();
          },
        );
    }}
  >
    <summary>${w.code.title}</summary>
    ${code?.codeShown(code.trainingCode(id, nameOf(targetOf(t)), t.base, given(t), t.from), draw) ?? nothing}
  </details>`;

function picturesSection(t) {
  const open = ['unpack', 'prepare', 'manifest'].includes(t.stage) && !isOver(t.status);
  if (!pictures.list.length && !state.report) return nothing;
  return html`<details ?open=${open}><summary>${w.training.sections.pictures} (${count(pictures.list.length)})</summary>
    ${pictures.template()}${leftOut(state.report?.skipped)}${warningsOf(state.report?.warnings)}</details>`;
}

/** Its module comes with the end of the training. */
const resultSection = t => result?.section(t, { state, samples, publish, useCheckpoint }) ?? nothing;

function draw() {
  const t = state.t;
  if (!t || !state.shown) return;
  const over = isOver(t.status);
  show(html`${head(t)}
    ${over ? resultSection(t) : nothing}
    ${over ? nothing : picturesSection(t)}
    ${order[t.stage] >= 2 || samples.results.length || curve.points.length ? trainingSection(t) : nothing}
    ${over ? picturesSection(t) : nothing}
    ${logSection()}
    ${codeSection(t)}
    <section>${t.expires_at ? html`<p class="muted">${w.training.expires(date(t.expires_at))}</p>` : nothing}
      ${over ? html`<button type="button" class="outline danger" @click=${remove}>${w.training.deleteAll}</button>` : nothing}</section>`);
  curve.marks = samples.steps.filter(s => s > 0);
  if (curve.pending || (curve.points.length > 1 && curve.holder !== document.querySelector('.curve'))) {
    curve.pending = false;
    curve.paint();
  }
  const pre = state.logOpen && state.logFollow ? document.querySelector('.log') : null;
  if (pre) pre.scrollTop = pre.scrollHeight;
}
setInterval(() => { if (state.t && !isOver(state.t.status)) draw(); }, 5000);
