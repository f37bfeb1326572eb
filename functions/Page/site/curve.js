// The loss curve: raw faint, smoothed, held out; a slider that reads a step for those without a mouse, a sentence and a table for those who
// cannot see it.
import { html, nothing, save } from './app.js';
import { w, count, figure } from './words.js';

/** Exponential average without its early bias towards zero (as Adam's); weight 0 leaves the values as they are. */
export function smooth(values, weight) {
  let sum = 0, norm = 0;
  return values.map(v => {
    if (v === null || v === undefined || !Number.isFinite(v)) return null;
    sum = weight * sum + (1 - weight) * v;
    norm = weight * norm + (1 - weight);
    return sum / norm;
  });
}

/** What the curve says, in a sentence. */
export function sentence(points, weight = 0.95) {
  const losses = points.filter(p => Number.isFinite(p.loss));
  if (losses.length < 2) return w.training.curveNone;
  const line = smooth(losses.map(p => p.loss), weight);
  const from = line[Math.min(line.length - 1, Math.ceil(line.length / 20))], to = line.at(-1);
  if (to >= from) return w.training.curveRose(from, to);
  const close = 0.05 * (from - to) + 0.02 * to;
  let level = line.length - 1;
  while (level > 0 && Math.abs(line[level - 1] - to) <= close) level--;
  const isLevel = level < line.length * 0.8;
  const held = points.filter(p => Number.isFinite(p.held_out)).sort((a, b) => a.held_out - b.held_out)[0];
  return (
    w.training.curveFell(from, to, isLevel ? losses[level].step : null) + (held ? ` ${w.training.curveHeld(held.held_out, held.step)}` : '')
  );
}

/** At most `most` rows, evenly chosen, the last one among them: a table for reading. */
export function thin(points, most) {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => points[Math.round(i * (points.length - 1) / (most - 1))]);
}

export class Curve {
  constructor({ draw, onRead }) {
    Object.assign(this, { draw, onRead, points: [], measured: new Map(), weight: 0.95, read: null, marks: [], table: false });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.plot?.destroy(); this.plot = null; this.paint(); });
  }

  get last() { return this.points.at(-1)?.step ?? 0; }

  /** What was measured on the pictures held out at a step; null: nothing. */
  heldOut(step) {
    return this.measured.get(step) ?? null;
  }

  take(points, marks) {
    const last = this.last;
    const more = points.filter(p => p.step > last);
    if (more.length) this.points = [...this.points, ...more];
    for (const p of more) if (Number.isFinite(p.held_out)) this.measured.set(p.step, p.held_out);
    const marked = this.marks.length !== marks.length;
    this.marks = marks;
    if (more.length || marked) this.paint();
  }

  /** Draws when the page is idle; the plotting script may come after the first points. */
  paint() {
    const holder = document.querySelector('.curve');
    if (!holder || this.points.length < 2) return;
    if (!globalThis.uPlot) {
      this.waiting ??= addEventListener('load', () => { this.waiting = null; this.paint(); }, { once: true }) ?? true;
      return;
    }
    const held = this.points.some(p => Number.isFinite(p.held_out));
    const data = [this.points.map(p => p.step), this.points.map(p => p.loss ?? null), smooth(this.points.map(p => p.loss), this.weight)];
    if (held) data.push(this.points.map(p => p.held_out ?? null));
    if (this.plot && this.holder === holder && this.plot.series.length === data.length) this.plot.setData(data);
    else this.create(holder, data);
  }

  create(holder, data) {
    this.plot?.destroy();
    holder.replaceChildren();
    const of = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const [axis, grid, card] = [of('--axis'), of('--grid'), of('--card')];
    const axes = [{}, {}].map(() => ({
      stroke: axis,
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid },
      font: '12px system-ui, sans-serif',
    }));
    const marks = plot => {
      plot.ctx.save();
      plot.ctx.strokeStyle = axis;
      plot.ctx.setLineDash([3, 5]);
      for (const step of this.marks) {
        const x = Math.round(plot.valToPos(step, 'x', true));
        plot.ctx.beginPath(); plot.ctx.moveTo(x, plot.bbox.top); plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height); plot.ctx.stroke();
      }
      plot.ctx.restore();
    };
    this.holder = holder;
    this.plot = new globalThis.uPlot(
      {
        width: Math.max(200, holder.clientWidth),
        height: 288,
        legend: { show: false },
        scales: { x: { time: false } },
        axes,
        cursor: { points: { fill: card }, drag: { x: false, y: false } },
        series: [
          {},
          { stroke: of('--line-raw'), width: 1, points: { show: false }, spanGaps: true },
          { stroke: of('--line-smooth'), width: 2, points: { show: false }, spanGaps: true },
          ...(data.length > 3 ? [{ stroke: of('--line-held'), width: 2, spanGaps: true }] : []),
        ],
        hooks: {
          draw: [marks],
          setCursor: [
            plot => {
              if (!this.moving) this.at(plot.cursor.idx ?? null, false);
            },
          ],
        },
      },
      data,
      holder,
    );
    this.sizes?.disconnect();
    this.sizes = new ResizeObserver(() => this.plot?.setSize({ width: Math.max(200, holder.clientWidth), height: 288 }));
    this.sizes.observe(holder);
  }

  /** Reads a point by its place; moves the cursor there when the slider did it. */
  at(index, move) {
    if (index === this.read) return;
    this.read = index;
    if (move && this.plot && index !== null) {
      this.moving = true;
      this.plot.setCursor({ left: this.plot.valToPos(this.points[index].step, 'x'), top: 20 });
      this.moving = false;
    }
    this.onRead(index === null ? null : this.points[index]?.step ?? null);
    this.draw();
  }

  template() {
    const n = this.points.length;
    if (n < 2) return html`<p class="muted">${w.training.curveNone}</p><div class="curve" hidden></div>`;
    const p = this.read === null ? null : this.points[this.read];
    const reading = p
      ? w.training.readAt(
          p.step,
          p.loss,
          smooth(
            this.points.slice(0, this.read + 1).map(q => q.loss),
            this.weight,
          ).at(-1),
        )
      : '';
    const held = this.points.some(q => Number.isFinite(q.held_out));
    return html`<p>${sentence(this.points)}</p>
      <p class="row">
        <span class="key"><i></i>${w.training.raw}</span
        ><span class="key"><i class="smooth"></i>${w.training.smoothed}</span
        >${held ? html`<span class="key"><i class="held"></i>${w.training.held}</span>` : nothing}
      </p>
      <div class="curve" aria-hidden="true"></div>
      <div class="row">
        <label
          >${w.training.readStep}<input
            type="range"
            min="0"
            max=${n - 1}
            .value=${String(this.read ?? n - 1)}
            aria-valuetext=${reading || nothing}
            @input=${e => this.at(Number(e.target.value), true)}
        /></label>
        <label
          >${w.training.smoothing}<input
            type="range"
            min="0"
            max="0.99"
            step="0.01"
            .value=${String(this.weight)}
            @input=${e => {
              this.weight = Number(e.target.value);
              this.paint();
              this.draw();
            }}
        /></label>
      </div>
      <p class="muted" aria-hidden="true">${reading || html`&nbsp;`}</p>
      <details
        ?open=${this.table}
        @toggle=${e => {
          if (this.table !== e.target.open) {
            this.table = e.target.open;
            this.draw();
          }
        }}
      >
        <summary>${w.training.table}</summary>
        ${this.table ? this.rows(held) : nothing}
        <button type="button" class="small outline secondary" @click=${() => this.csv()}>${w.training.csv}</button>
      </details>`;
  }

  rows(held) {
    const line = smooth(this.points.map(p => p.loss), this.weight);
    const at = new Map(this.points.map((p, i) => [p, i]));
    const shown = new Set([
      ...thin(this.points, 50),
      ...thin(
        this.points.filter(p => Number.isFinite(p.held_out)),
        50,
      ),
    ]);
    return html`<div class="scroll" tabindex="0" role="group" aria-label=${w.training.table}>
      <table>
        <thead>
          <tr>
            <th scope="col">${w.training.checkpoint}</th>
            <th scope="col">${w.training.raw}</th>
            <th scope="col">${w.training.smoothed}</th>
            ${held ? html`<th scope="col">${w.training.held}</th>` : nothing}
          </tr>
        </thead>
        <tbody>
          ${this.points
            .filter(p => shown.has(p))
            .map(
              p =>
                html`<tr>
                  <th scope="row">${count(p.step)}</th>
                  <td>${figure(p.loss)}</td>
                  <td>${figure(line[at.get(p)])}</td>
                  ${held ? html`<td>${figure(p.held_out)}</td>` : nothing}
                </tr>`,
            )}
        </tbody>
      </table>
    </div>`;
  }

  csv() {
    const names = [...new Set(this.points.flatMap(p => Object.keys(p)))];
    save([names.join(','), ...this.points.map(p => names.map(n => p[n] ?? '').join(','))].join('\n') + '\n', 'metrics.csv', 'text/csv');
  }
}
