// What a training that is over has left: the best picture, the recommended step and why, files by program, the other checkpoints.
import { html, nothing, nameOf } from './app.js';
import { w, count, date, bytes } from './words.js';

const short = version => version.replace(/:(.{8}).*/, ':$1');
const play = values => `/play?${new URLSearchParams(values)}`;

/** @param page the page's state, its samples, and what it does: publish and useCheckpoint. */
export function section(t, page) {
  const { samples } = page;
  if (t.status === 'failed') {
    return card(
      w.training.failed,
      html`<div class="problem" role="alert"><p dir="auto">${t.error}</p></div>
        <p>${w.training.keptData}</p>`,
      t,
      page,
    );
  }
  if (t.status === 'canceled') return card(w.training.canceledTitle, html`<p>${w.training.canceledBody}</p>`, t, page);
  if (t.status !== 'succeeded' || !t.output) return nothing;
  const word = (t.input?.token_string ?? 'TOK').split('|')[0], version = t.output.version, model = version.split(':')[0];
  const of = step => samples.results.filter(s => s.step === step).sort((a, b) => a.index - b.index)[0];
  const best = of(t.recommended?.step) ?? of(samples.steps[0]);
  return card(
    w.training.ready(nameOf(version)),
    html` <div class="grid2">
        ${
          best
            ? html`<button
                type="button"
                class="shot best"
                aria-label=${`${w.training.open} ${w.training.sample(best.step, best.prompt)}`}
                @click=${() => samples.show(best)}
              >
                <img src=${best.urls.get} alt="" />
              </button>`
            : nothing
        }
        <div>
          ${recommended(t, page)}
          ${
            best && samples.find(0, best.index)
              ? html`<p><button type="button" class="outline" @click=${() => samples.show(best, 0)}>${w.training.sideBySide}</button></p>`
              : nothing
          }
          <p>${w.models.trigger}: <code>${t.input?.token_string ?? 'TOK'}</code></p>
          <p><a role="button" href=${play({ version, prompt: `a photo of ${word}` })}>${w.training.draw}</a></p>
          <p><a href="/models/${model}">${model}</a></p>
        </div>
      </div>
      ${files(t, page.state.manifest ?? [])}
      <p class="note">${w.models.note}</p>`,
    t,
    page,
  );
}

const card = (title, body, t, page) => html`<section class="card" aria-labelledby="end"><h2 id="end">${title}</h2>
  ${body}${checkpoints(t, page)}${afterwards(t)}</section>`;

/** The step that did best on the pictures held out, and how to get at it. */
function recommended(t, { state, useCheckpoint }) {
  const best = t.recommended;
  if (!best) return nothing;
  const isLast = best.step === t.held_out.at(-1).step,
    kept = state.kept.find(c => c.step === best.step);
  return html`<div class="note">
    <p><b>${w.training.recommended(best.step)}</b> ${best.reason}</p>
    ${
      isLast
        ? html`<p>${w.training.isVersion}</p>`
        : kept
          ? html`<p>
              <button type="button" class="outline" ?disabled=${state.publishing !== null} @click=${() => useCheckpoint(kept)}>
                ${state.publishing === kept.step ? w.training.using : w.training.useStep(best.step)}
              </button>
            </p>`
          : html`<p>${w.training.notKept(best.step)}</p>`
    }
  </div>`;
}

function fileKind(name) {
  const { kinds } = w.file;
  return (
    kinds[name] ??
    (/-kohya\./.test(name) ? kinds.kohya : /-peft\./.test(name) ? kinds.peft : /\.safetensors$/.test(name) ? kinds.embedding : '')
  );
}

function files(t, manifest) {
  const known = new Map(manifest.map(f => [f.name ?? f.file, f]));
  const list = Object.entries(t.output.files ?? (t.output.weights ? { 'trained_model.tar': t.output.weights } : {}));
  const head = [w.file.name, w.file.forWhat, w.file.size, w.file.hash];
  return html`<h3>${w.training.files}</h3><div class="scroll" tabindex="0" role="group" aria-label=${w.training.files}><table>
    <thead><tr>${head.map(name => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${list.map(([name, url]) => {
      const f = known.get(name);
      return html`<tr><th scope="row"><a href=${url} download=${name}>${name}</a></th><td>${fileKind(name)}</td>
        <td>${bytes(f?.bytes ?? f?.size)}</td><td><code class="hash">${f?.sha256 ?? ''}</code></td></tr>`;
    })}</tbody></table></div>`;
}

/** The checkpoints, each with its first picture: the best first where pictures were held out to tell, else the newest. */
function checkpoints(t, { state, samples, publish }) {
  if (!state.kept.length) return nothing;
  const isRanked = state.kept.every(c => Number.isFinite(c.held_out));
  const end = isRanked && t.output ? t.held_out?.at(-1) : null;
  const list = [...state.kept, ...(end ? [{ step: end.step, held_out: end.loss, version: t.output.version }] : [])];
  list.sort(isRanked ? (a, b) => a.held_out - b.held_out : (a, b) => b.step - a.step);
  return html`<h3 id="kept-title">${isRanked ? w.training.ranked : w.training.kept}</h3>
    <p class="muted">${w.training.keptLead(state.keptUntil && date(state.keptUntil))}</p>
    <ol class="models" aria-labelledby="kept-title">${list.map(c => {
      const shown = samples.find(c.step, samples.columns[0]?.[0]);
      return html`<li class="card"><p><b>${w.training.checkpoint} ${count(c.step)}</b>
        ${isRanked ? html`<br><small>${w.training.heldOut(c.held_out)}</small>` : nothing}</p>${shown ? samples.cell(shown) : nothing}
        <p>${c.version ? html`${w.training.published} <a href=${play({ version: c.version })}>${short(c.version)}</a>`
          : html`<button type="button" class="small outline" aria-label=${`${w.training.publish}: ${w.play.step(c.step)}`}
            ?disabled=${state.publishing !== null} @click=${() => publish(c)}>
            ${state.publishing === c.step ? w.training.using : w.training.publish}</button>`}</p></li>`;
    })}</ol>`;
}

const afterwards = t =>
  html`<div class="row">
    ${t.output
      ? html`<a role="button" class="outline" href="/?${new URLSearchParams({ again: t.id, from: t.output.version })}">${
          w.training.further}</a>`
      : nothing}
    <a role="button" class="outline" href="/?again=${t.id}">${w.training.again}</a>
  </div>`;
