// Pictures large: a dialog in which one is looked at, magnified, and compared with another, by keys, wheel, pointer or two fingers. The
// magnified spot stays while one walks on.
import { html, nothing } from './app.js';
import { w, share } from './words.js';

const most = 8, step = 1.5;
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Viewer {
  /**
   * @param walk is given how far to go: to other pictures in a row, in a column.
   * @param onClose forgets what is shown.
   */
  constructor({ draw, walk, onClose }) {
    Object.assign(this, { draw, walk, onClose, split: 50, scale: 1, x: 0, y: 0, fingers: new Map() });
  }

  open() {
    this.draw();
    const dialog = document.querySelector('.viewer');
    if (!dialog.open) dialog.showModal();
    this.apply();
  }

  /** @param fx, fy what stays where it is: fractions of the frame, from its middle. */
  zoomTo(scale, fx = 0, fy = 0) {
    const to = Math.max(1, Math.min(most, scale)), by = to / this.scale;
    this.scale = to;
    this.moveTo(fx - (fx - this.x) * by, fy - (fy - this.y) * by);
    this.draw();
  }

  moveTo(x, y) {
    const edge = (this.scale - 1) / 2;
    this.x = Math.max(-edge, Math.min(edge, x));
    this.y = Math.max(-edge, Math.min(edge, y));
    this.apply();
  }

  apply() {
    const style = document.querySelector('.viewer .pair')?.style;
    for (const [name, value] of [
      ['--zoom', this.scale],
      ['--x', `${this.x * 100}%`],
      ['--y', `${this.y * 100}%`],
      ['--split', `${100 - this.split}%`],
    ])
      style?.setProperty(name, value);
  }

  key(e) {
    if (e.target.matches('input, select')) return;
    const by = arrows[e.key];
    if (by && e.shiftKey) this.moveTo(this.x - by[0] / 10, this.y - by[1] / 10);
    else if (by) this.walk(...by);
    else if (e.key === '+' || e.key === '=') this.zoomTo(this.scale * step);
    else if (e.key === '-') this.zoomTo(this.scale / step);
    else if (e.key === '0') this.zoomTo(1);
    else return;
    e.preventDefault();
  }

  /** Where a pointer is: fractions of the frame, from its middle. */
  at(e) {
    const box = e.currentTarget.getBoundingClientRect();
    return { x: (e.clientX - box.left) / box.width - 0.5, y: (e.clientY - box.top) / box.height - 0.5 };
  }

  wheel(e) {
    e.preventDefault();
    const { x, y } = this.at(e);
    this.zoomTo(this.scale * Math.exp(-e.deltaY / 300), x, y);
  }

  down(e) {
    e.currentTarget.setPointerCapture(e.pointerId);
    this.fingers.set(e.pointerId, this.at(e));
  }

  move(e) {
    const before = this.fingers.get(e.pointerId);
    if (!before) return;
    const now = this.at(e), other = [...this.fingers].find(([id]) => id !== e.pointerId)?.[1];
    this.fingers.set(e.pointerId, now);
    if (other) {
      const far = p => Math.hypot(p.x - other.x, p.y - other.y);
      this.zoomTo(this.scale * far(now) / Math.max(0.01, far(before)), (now.x + other.x) / 2, (now.y + other.y) / 2);
    } else this.moveTo(this.x + now.x - before.x, this.y + now.y - before.y);
  }

  up(e) { this.fingers.delete(e.pointerId); }

  /**
   * @param shown the picture: its url and title; null: nothing is open.
   * @param other one to compare it with.
   * @param controls what else can be done with it.
   */
  template(shown, { other = null, controls = nothing, hint }) {
    const twice = e => {
      const { x, y } = this.at(e);
      this.zoomTo(this.scale > 1 ? 1 : 3, x, y);
    };
    return html`<dialog class="viewer" aria-labelledby="viewer-title" @keydown=${e => this.key(e)} @close=${() => this.onClose()}>
      ${
        shown
          ? html` <div class="row apart">
                <h2 id="viewer-title" dir="auto" aria-live="polite">${shown.title}</h2>
                <div class="row">
                  <button
                    type="button"
                    class="small"
                    aria-label=${w.viewer.smaller}
                    ?disabled=${this.scale === 1}
                    @click=${() => this.zoomTo(this.scale / step)}
                  >
                    −</button
                  ><span>${share(this.scale)}</span>
                  <button
                    type="button"
                    class="small"
                    aria-label=${w.viewer.larger}
                    ?disabled=${this.scale === most}
                    @click=${() => this.zoomTo(this.scale * step)}
                  >
                    +
                  </button>
                  <form method="dialog"><button class="small" autofocus>${w.close}</button></form>
                </div>
              </div>
              <div
                class="pair"
                @wheel=${e => this.wheel(e)}
                @dblclick=${twice}
                @pointerdown=${e => this.down(e)}
                @pointermove=${e => this.move(e)}
                @pointerup=${e => this.up(e)}
                @pointercancel=${e => this.up(e)}
              >
                <div><img src=${shown.url} alt=${shown.title} /></div>
                ${other ? html`<div class="over"><img src=${other.url} alt=${other.title} /></div>` : nothing}
              </div>
              <div class="row">
                ${
                  other
                    ? html`<label
                        >${w.viewer.slide}<input
                          type="range"
                          min="0"
                          max="100"
                          .value=${String(this.split)}
                          @input=${e => {
                            this.split = e.target.value;
                            this.apply();
                          }}
                      /></label>`
                    : nothing
                }${controls}
              </div>
              <p class="muted">${hint} ${w.viewer.keys}</p>`
          : nothing
      }
    </dialog>`;
  }
}
