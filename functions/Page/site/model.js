// One model: its versions with what each was trained on, downloads with hashes, code that draws, and the way to the playground.
import { html, nothing, show, call, get, gone, problem, confirmed, empty, copy, setTitle, save, say } from './app.js';
import { w, bytes, count, date } from './words.js';
import { drawingCode, codeBlock } from './code.js';

const [, , owner, name] = location.pathname.split('/').map(decodeURIComponent);
const base = `/v1/models/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
const shownAtOnce = 5; // versions whose files are asked for unasked
const state = { model: null, versions: [], next: null, error: null, open: null, zipping: null };

/** Files of a version as a list of {name, url, bytes, sha256}: links from the version, the rest from its manifest. */
function filesOf(v) {
  const known = new Map((v.manifest?.files ?? []).map(f => [f.name, f]));
  return Object.entries(v.files ?? {}).map(([file, url]) => ({ ...known.get(file), name: file, url }));
}

const kindOf = file =>
  w.file.kinds[file] ??
  (/-kohya\./.test(file)
    ? w.file.kinds.kohya
    : /-peft\./.test(file)
      ? w.file.kinds.peft
      : /\.safetensors$/.test(file)
        ? w.file.kinds.embedding
        : '');

/** Links to the files come with the version alone; sizes, hashes, trigger word and inputs stand in its manifest. */
async function details(v) {
  Object.assign(v, await get(`${base}/versions/${v.id}`));
  v.manifest = await (await fetch(v.files['manifest.json'])).json();
  draw();
}

async function zipAll(v) {
  const list = filesOf(v);
  const { downloadZip } = await import('./vendor/client-zip.js');
  let n = 0;
  async function* fetched() {
    for (const f of list) {
      state.zipping = w.file.zipping(++n, list.length);
      draw();
      const answer = await fetch(f.url);
      if (!answer.ok) throw Object.assign(new Error(`${f.name}: ${answer.status}`), { status: answer.status });
      yield { name: f.name, input: answer };
    }
  }
  try {
    save(await downloadZip(fetched()).blob(), `${name}-${v.id.slice(0, 8)}.zip`);
  } catch (e) {
    state.error = e;
  }
  state.zipping = null;
  draw();
}

async function remove(v) {
  if (!await confirmed({ title: w.models.deleteTitle, body: w.models.deleteBody, yes: w.models.deleteVersion.replace(' …', '') })) return;
  try {
    await call('DELETE', `${base}/versions/${v.id}`);
    state.versions = state.versions.filter(x => x !== v);
    say(w.training.deleted);
  } catch (e) {
    state.error = e;
  }
  draw();
}

function version(v, i) {
  const reference = `${owner}/${name}:${v.id}`,
    { trigger: word = 'TOK', inputs } = v.manifest ?? {},
    files = filesOf(v);
  const facts = [
    [w.models.trigger, word],
    [w.models.base, v.base],
    [w.models.made, date(v.created_at)],
    [w.training.checkpoint, v.step && count(v.step)],
    [w.models.steps, inputs?.max_train_steps && count(inputs.max_train_steps)],
    [w.models.seed, inputs?.seed],
  ].filter(([, value]) => value);
  return html`<section class="card" aria-label="${w.models.version} ${v.id.slice(0, 8)}">
    <div class="row apart">
      <h2>${w.models.version} <code>${v.id.slice(0, 8)}</code></h2>
      <div class="row">
        <a role="button" href="/play?${new URLSearchParams({ version: reference, prompt: `a photo of ${word.split('|')[0]}` })}"
          >${w.training.draw}</a
        >
        <a role="button" class="outline" href="/?${new URLSearchParams({ from: reference })}">${w.training.further}</a>
        <button type="button" class="small outline secondary" @click=${e => copy(reference, e.currentTarget)}>${w.copy}</button>
      </div>
    </div>
    <ul class="facts">
      ${facts.map(([label, value]) => html`<li>${label}: <b dir="auto">${value}</b></li>`)}
    </ul>
    ${
      files.length
        ? html`<div class="scroll" tabindex="0" role="group" aria-label="${w.training.files} ${v.id.slice(0, 8)}">
              <table>
                <thead>
                  <tr>
                    <th scope="col">${w.file.name}</th>
                    <th scope="col">${w.file.forWhat}</th>
                    <th scope="col">${w.file.size}</th>
                    <th scope="col">${w.file.hash}</th>
                  </tr>
                </thead>
                <tbody>
                  ${files.map(
                    f =>
                      html`<tr>
                        <th scope="row"><a href=${f.url} download=${f.name}>${f.name}</a></th>
                        <td>${kindOf(f.name)}</td>
                        <td>${bytes(f.bytes)}</td>
                        <td><code class="hash">${f.sha256 ?? ''}</code></td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>
            <p class="note">${w.models.note}</p>`
        : i >= shownAtOnce
          ? html`<p>
              <button
                type="button"
                class="secondary"
                @click=${() =>
                  details(v).catch(e => {
                    state.error = e;
                    draw();
                  })}
              >
                ${w.models.showFiles}
              </button>
            </p>`
          : nothing
    }
    <div class="row">
      ${files.length
        ? html`<button type="button" class="outline" @click=${() => zipAll(v)} aria-busy=${state.zipping ? 'true' : nothing}>${
            state.zipping ?? w.file.all}</button>`
        : nothing}
      <button type="button" class="outline danger" @click=${() => remove(v)}>${w.models.deleteVersion}</button>
    </div>
    ${i === 0 ? codeBlock(drawingCode(reference, { prompt: `a photo of ${word.split('|')[0]}` }), draw) : nothing}
  </section>`;
}

function draw() {
  show(
    html`<h1>${owner}/${name}</h1>
      ${state.model.description ? html`<p dir="auto">${state.model.description}</p>` : nothing}${problem(state.error)}
      ${state.versions.length ? state.versions.map(version) : empty(w.models.none, '/', w.models.emptyButton)}
      ${state.next ? html`<button class="secondary" @click=${more}>${w.more}</button>` : nothing}`,
  );
}

async function more() {
  const page = await get(state.next ?? `${base}/versions`);
  state.versions.push(...page.results);
  state.next = page.next ?? null;
  draw();
  for (const v of page.results.slice(0, shownAtOnce)) details(v).catch(e => { state.error = e; draw(); });
}

setTitle(`${owner}/${name}`);
try {
  state.model = await get(base);
  await more();
} catch (e) {
  if (e.status !== 401) show(gone(e));
}
