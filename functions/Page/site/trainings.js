// Queue and history: every training of this account, the newest first, kept fresh while any runs.
import { html, nothing, show, get, follow, empty, gone, setTitle, isOver, nameOf, targetOf } from './app.js';
import { w, since, share } from './words.js';

const state = { list: null, older: [], next: null, busy: false };

const partOf = t => (t.status === 'succeeded' ? 1 : t.progress?.total_steps ? t.progress.step / t.progress.total_steps : null);

function row(t) {
  const part = partOf(t),
    name = nameOf(targetOf(t)) || t.id;
  return html`<tr>
    <th scope="row"><a href="/trainings/${t.id}">${name}</a></th>
    <td><span class="state ${t.status}">${w.state[t.status]}</span></td>
    <td>
      ${
        t.status === 'processing'
          ? html`${w.stage[t.stage] ?? ''}
            ${part === null
              ? nothing
              : html`<progress aria-label="${w.training.progress}: ${name}" value=${part} max="1"></progress> ${share(part)}`}`
          : t.error
            ? html`<small dir="auto">${t.error.slice(0, 120)}</small>`
            : nothing
      }
    </td>
    <td>${since(t.created_at)}</td>
  </tr>`;
}

async function more() {
  state.busy = true;
  draw();
  const page = await get(state.next);
  state.older.push(...page.results);
  Object.assign(state, { next: page.next, busy: false });
  draw();
}

function draw() {
  const all = [...state.list, ...state.older];
  const c = w.trainings.columns;
  show(
    html`<h1>${w.trainings.title}</h1>
      ${
        all.length === 0
          ? empty(w.trainings.empty, '/', w.trainings.emptyButton)
          : html`<div class="scroll" tabindex="0" role="group" aria-label=${w.trainings.title}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">${c.model}</th>
                    <th scope="col">${c.state}</th>
                    <th scope="col">${c.progress}</th>
                    <th scope="col">${c.started}</th>
                  </tr>
                </thead>
                <tbody>
                  ${all.map(row)}
                </tbody>
              </table>
            </div>`
      }
      ${state.next
        ? html`<p><button class="secondary" aria-busy=${state.busy ? 'true' : nothing} @click=${more}>${w.more}</button></p>`
        : nothing}`,
  );
}

setTitle(w.trainings.title);
follow('/v1/trainings', {
  onData(page) {
    const known = new Set(page.results.map(t => t.id));
    state.older = state.older.filter(t => !known.has(t.id));
    if (state.list === null) state.next = page.next ?? null;
    state.list = page.results;
    draw();
    return page.results.every(t => isOver(t.status)) ? 15 : 3;
  },
  onGone(e) { show(gone(e)); },
});
