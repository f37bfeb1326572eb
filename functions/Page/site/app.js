// What every page needs: the API with its errors, following a resource, telling, asking, copying. Pages keep their state in one object and
// call draw() after a change.
import { html, svg, render, nothing } from './vendor/lit-html.js';
import { w } from './words.js';

export { html, svg, nothing };

const main = document.getElementById('main');
let first = true;

/** Puts a page's content in place of the skeleton; later calls change only what differs. */
export function show(template) {
  if (first) main.replaceChildren();
  first = false;
  render(template, main);
}

export const setTitle = text => { document.title = `${text} · ${w.site}`; };

/** An answer that is no success; status 0: none came. */
export class ApiError extends Error {
  constructor(status, detail, fields = {}, body = '') {
    super(detail);
    Object.assign(this, { status, detail, fields, body });
  }
}

async function toError(status, text) {
  try {
    const body = JSON.parse(text);
    const fields = Object.fromEntries((body.invalid_fields ?? []).map(f => [f.field, f.detail ?? f.problem]));
    return new ApiError(status, body.detail || body.title || `${status}`, fields, text);
  } catch {
    return new ApiError(status, text.trim().slice(0, 500) || `${w.failedTo} (${status}).`, {}, text);
  }
}

/** To the sign-in page, which comes back here. */
export function signIn() {
  location.assign(`/sign-in?return=${encodeURIComponent(location.pathname + location.search)}`);
}

/**
 * One call of the API; the session's cookie goes with it.
 * @returns {Promise<{data: any, etag: string|null, status: number}>} data: JSON parsed, text where it is none, null where there is no body.
 * @throws {ApiError}
 */
export async function call(method, url, { json, body, headers = {}, signal, stayHere = false } = {}) {
  let answer, text;
  try {
    answer = await fetch(url, {
      method, signal, cache: 'no-cache', credentials: 'same-origin',
      headers: { accept: 'application/json', ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: json === undefined ? body : JSON.stringify(json),
    });
    text = await answer.text();
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new ApiError(0, w.offline);
  }
  if (answer.status === 401 && !stayHere) signIn();
  if (!answer.ok) throw await toError(answer.status, text);
  const isJson = answer.headers.get('content-type')?.includes('json');
  return { data: text && isJson ? JSON.parse(text) : text || null, etag: answer.headers.get('etag'), status: answer.status };
}

export const get = async (url, options) => (await call('GET', url, options)).data;
export const post = async (url, json, options) => (await call('POST', url, { json, ...options })).data;

/** What a route gives, or the fallback where this service does not have the route. */
export async function getOr(url, fallback) {
  try {
    return await get(url);
  } catch (e) {
    if (e.status === 404 || e.status === 405 || e.status === 501) return fallback;
    throw e;
  }
}

/** Sends a form with progress, which fetch does not tell. */
export function upload(url, form, onProgress) {
  const request = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    request.upload.onprogress = e => onProgress(e.loaded, e.total);
    request.onerror = () => reject(new ApiError(0, w.offline));
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    request.onload = async () => {
      if (request.status === 401) signIn();
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(await toError(request.status, request.responseText));
    };
    request.open('POST', url);
    request.setRequestHeader('accept', 'application/json');
    request.send(form);
  });
  return { answer, abort: () => request.abort() };
}

// --- following ---

const stale = document.getElementById('stale');
const heard = new Map(); // what is followed → when it was last heard

function showStale() {
  const oldest = Math.min(...[...heard.values()].filter(h => h.failing).map(h => h.at));
  stale.hidden = !Number.isFinite(oldest);
  if (!stale.hidden) stale.textContent = w.stale((Date.now() - oldest) / 1000);
}
setInterval(showStale, 1000);

const eventTypes = [
  'message',
  'start',
  'output',
  'logs',
  'progress',
  'metrics',
  'samples',
  'completed',
  'done',
  'training.starting',
  'training.processing',
  'training.completed',
  'training.failed',
  'training.canceled',
  'prediction.starting',
  'prediction.processing',
  'prediction.completed',
  'prediction.failed',
  'prediction.canceled',
  'prediction.output',
  'version.published',
];

/**
 * Streams that all tabs of a browser hold together: over HTTP/1.1 six connections go to a host, and the seventh request waits without a
 * word.
 */
const streams = 3;

/**
 * Opens a stream where one is free, else never mind: polling does. So it does where tabs cannot know of each other (plain http from
 * elsewhere).
 */
const withStream = async (open, i = 0) =>
  i < streams
    ? navigator.locks?.request(`sdxl-stream-${i}`, { ifAvailable: true }, lock => (lock ? open() : withStream(open, i + 1)))
    : undefined;

/**
 * Asks for a resource again and again until told to stop: the resource is the truth, its stream of events only makes the next question come
 * sooner. Never gives up; a
 * hidden tab asks slowly, so that its notification still comes.
 * @param onData is given each answer and when it was asked for (ms, performance.now()); what it returns is the seconds until the next
 * question, false to stop.
 * @param onGone is given an error that asking again does not mend (404, 410, 403).
 */
export function follow(url, { onData, onGone, every = 2 }) {
  let timer, close, events, stopped = false, asking = false, again = false, listening = false;
  const mine = { at: Date.now(), failing: false };
  heard.set(mine, mine);

  async function ask() {
    clearTimeout(timer);
    if (stopped) return;
    if (asking) { again = true; return; }
    asking = true;
    let wait = every;
    try {
      const asked = performance.now(), data = await get(url);
      if (stopped) return; // told so meanwhile: this answer is about what is not looked at any more
      Object.assign(mine, { at: Date.now(), failing: false });
      const said = onData(data, asked);
      if (said === false) stop();
      else if (typeof said === 'number') wait = said;
    } catch (e) {
      if ([403, 404, 410].includes(e.status)) { stop(); onGone?.(e); }
      else if (e instanceof ApiError) mine.failing = true;
      else if (e.name !== 'AbortError') { stop(); throw e; }
    } finally {
      asking = false;
      showStale();
    }
    if (stopped) return;
    if (again) { again = false; wait = 0.3; }
    timer = setTimeout(ask, 1000 * (document.hidden ? Math.max(15, wait) : wait));
  }

  function listen(address) {
    events = address;
    if (!events || listening || stopped || document.hidden) return;
    listening = true;
    withStream(() => new Promise(closed => {
      if (stopped || document.hidden) return closed(true);
      const stream = new EventSource(events);
      let failures = 0, opened = Infinity;
      close = () => { clearTimeout(silent); stream.close(); close = undefined; closed(true); };
      const silent = setTimeout(() => close?.(), 5000);
      stream.onopen = () => { clearTimeout(silent); opened = Date.now(); };
      for (const type of eventTypes) stream.addEventListener(type, () => { failures = 0; ask(); });
      // The service itself ends a stream after a while; one that does not hold is given up.
      stream.onerror = () => { failures = Date.now() - opened > 10000 ? 1 : failures + 1; if (failures > 1) close?.(); };
    })).then(had => { if (!had) listening = false; }); // none was free: perhaps at the next answer
  }

  function onVisible() {
    if (document.hidden) return close?.();
    listening = false;
    listen(events);
    ask();
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    close?.();
    heard.delete(mine);
    document.removeEventListener('visibilitychange', onVisible);
  }

  document.addEventListener('visibilitychange', onVisible);
  const follower = { now: ask, stop, listen };
  ask();
  return follower;
}

// --- telling and asking ---

/** Says it to those who do not see the page: stage changes, new samples, each tenth. */
export function say(text) {
  const status = document.getElementById('status');
  if (status.textContent !== text) status.textContent = text;
}

/** An error beside what it is about. */
export function problem(error, title = w.failedTo) {
  if (!error) return nothing;
  return html`<div class="problem" role="alert">
    <strong>${title}</strong>
    <p dir="auto">${error.detail ?? error.message}</p>
    ${error.body
      ? html`<button type="button" class="small outline" @click=${e => copy(error.body, e.currentTarget)}>${w.copyDetails}</button>`
      : nothing}
  </div>`;
}

/** A whole page's error. */
export function gone(error) {
  if (error.status === 404 || error.status === 403)
    return html`<h1>${w.notThere}</h1><p>${w.notThereMore}</p><p><a role="button" href="/">${w.start.title}</a></p>`;
  return html`<h1>${w.failedTo}</h1>${problem(error)}`;
}

export const empty = (text, href, button) =>
  html`<div class="empty">
    <p>${text}</p>
    ${href ? html`<a role="button" href=${href}>${button}</a>` : nothing}
  </div>`;

/** A question in a dialog; the answer that changes nothing has the focus. */
export function confirmed({ title, body, yes, no = w.keep }) {
  return new Promise(resolve => {
    const holder = document.body.appendChild(document.createElement('div'));
    const end = e => {
      resolve(e.target.returnValue === 'yes');
      holder.remove();
    };
    render(
      html`<dialog aria-labelledby="ask-title" @close=${end}>
        <form method="dialog">
          <h2 id="ask-title">${title}</h2>
          <p>${body}</p>
          <div class="row end">
            <button value="no" class="secondary" autofocus>${no}</button><button value="yes" class="danger">${yes}</button>
          </div>
        </form>
      </dialog>`,
      holder,
    );
    holder.firstElementChild.showModal();
  });
}

/** To the clipboard; where the page may not (plain http from elsewhere), the text is selected instead. */
export async function copy(text, button, shown) {
  const was = button.dataset.label ?? button.textContent;
  button.dataset.label = was;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = w.copied;
  } catch {
    if (shown) getSelection().selectAllChildren(shown);
    button.textContent = shown ? w.selectToCopy : was;
  }
  say(button.textContent);
  setTimeout(() => { button.textContent = was; }, 2000);
}

/** Saves text or a blob as a file. */
export function save(content, name, type = 'text/plain') {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** An address of this site without the site: what the page itself may fetch. */
export function here(url) {
  const u = new URL(url, location.href);
  return u.pathname + u.search;
}

export const isOver = status => ['succeeded', 'failed', 'canceled'].includes(status);

/** The name without its owner. */
export const nameOf = model => (model ?? '').split('/').pop().split(':')[0];

/** The destination of a training, "owner/name": Replicate's own field, or what came before it. */
export const targetOf = training => training.destination ?? training.model ?? '';

for (const link of document.querySelectorAll('[data-nav]'))
  if (link.dataset.nav.split(' ').includes(document.body.dataset.page)) link.setAttribute('aria-current', 'page');
