// The table of sample pictures: a column a prompt, a row a checkpoint, the untrained row last; and the viewer, where arrows walk through it
// and two are compared.
import { html, nothing } from './app.js';
import { w, count } from './words.js';

const rowName = step => (step === 0 ? w.training.untrained : count(step));

export class Samples {
  /** @param ofStep what else can be done with a row's weights. */
  constructor({ draw, useCheckpoint, ofStep }) {
    Object.assign(this, { draw, useCheckpoint, ofStep, results: [], at: null, open: null, other: null, marked: null, large: null });
  }

  take(results) {
    const more = results.length - this.results.length;
    this.results = results;
    return more;
  }

  get steps() { return [...new Set(this.results.map(r => r.step))].sort((a, b) => b - a); }
  get columns() {
    const columns = new Map();
    for (const r of this.results) if (!columns.has(r.index)) columns.set(r.index, { prompt: r.prompt, seed: r.seed });
    return [...columns].sort((a, b) => a[0] - b[0]);
  }

  find(step, index) { return this.results.find(r => r.step === step && r.index === index); }

  /** @param next the checkpoint that is coming: its step and in how many seconds; null where none is. */
  template(next) {
    const { steps, columns } = this;
    if (!columns.length) return nothing;
    return html`<div class="scroll samples" tabindex="0" role="group" aria-label=${w.training.samples}>
        <table>
          <thead>
            <tr>
              <th scope="col">${w.training.checkpoint}</th>
              ${columns.map(
                ([, c]) => html`<th scope="col"><span dir="auto">${c.prompt}</span><br /><small>${w.training.seed(c.seed)}</small></th>`
              )}
            </tr>
          </thead>
          <tbody>
            ${
              next
                ? html`<tr>
                    <th scope="row">${count(next.step)}</th>
                    ${columns.map(() => html`<td><div class="coming">${w.training.coming}${
                      next.seconds === null ? nothing : html`<br />${next.text}`}</div></td>`)}
                  </tr>`
                : nothing
            }
            ${steps.map(
              step =>
                html`<tr class=${this.marked === step ? 'at' : ''}>
                  <th scope="row">${rowName(step)}${this.ofStep(step)}</th>
                  ${columns.map(([index]) => html`<td>${this.cell(this.find(step, index))}</td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${this.viewer()}`;
  }

  cell(sample) {
    if (!sample) return html`<div class="coming">–</div>`;
    return html`<button
      type="button"
      class="shot"
      aria-label=${`${w.training.open} ${w.training.sample(sample.step, sample.prompt)}`}
      @click=${() => this.show(sample)}
    >
      <img src=${sample.urls.thumbnail ?? sample.urls.get} alt="" loading="lazy" decoding="async" width="160" height="160" />
    </button>`;
  }

  /** @param other the step that it is compared with; none: what was chosen last. */
  async show(sample, other = this.other) {
    const { Viewer } = await import('./viewer.js');
    Object.assign(this, { open: sample, other });
    this.large ??= new Viewer({
      draw: this.draw,
      walk: (columns, rows) => this.walk(columns, rows),
      onClose: () => {
        this.open = null;
        this.draw();
      },
    });
    this.large.open();
  }

  /** Marks the row of the newest checkpoint at or before a step: the curve says which is read. */
  mark(step) {
    const marked = step === null ? null : this.steps.find(s => s <= step) ?? null;
    if (marked === this.marked) return;
    this.marked = marked;
    this.draw();
  }

  walk(columns, rows) {
    const { steps } = this, indices = this.columns.map(([index]) => index);
    const step = steps[steps.indexOf(this.open.step) + rows] ?? this.open.step;
    const index = indices[indices.indexOf(this.open.index) + columns] ?? this.open.index;
    const found = this.find(step, index);
    if (found) { this.open = found; this.draw(); }
  }

  viewer() {
    if (!this.large) return nothing;
    const s = this.open;
    const same = this.results.filter(r => s && r.index === s.index && r.step !== s.step);
    const other = same.find(r => r.step === this.other);
    const shown = r => ({ url: r.urls.get, title: w.training.sample(r.step, r.prompt) });
    return this.large.template(s && shown(s), {
      other: other && shown(other),
      hint: w.training.arrows,
      controls:
        s &&
        html`<label
            >${w.training.compare}<select
              @change=${e => {
                this.other = e.target.value === '' ? null : Number(e.target.value);
                this.draw();
              }}
            >
              <option value="">${w.training.compareNone}</option>
              ${same.map(
                r => html`<option value=${r.step} ?selected=${r.step === this.other}>${rowName(r.step)}</option>`
              )}
            </select></label
          >
          <a role="button" class="secondary" href=${this.useCheckpoint(s)}>${w.training.drawAgain}</a
          ><a role="button" class="secondary" href=${s.urls.get} download>${w.download}</a>`,
    });
  }
}
