// The pictures of a check or a training: a tile each with crop, mask, caption, where they came from and what to look at; with `edit`,
// mended in place.
import { html, svg, nothing, call, say, problem } from './app.js';
import { w, count } from './words.js';

/** Whether a picture wants a look before money is spent on it. */
export const needsLook = p => !p.removed && (p.state === 'skipped' || (p.warnings ?? []).length > 0);

/**
 * @param address of a picture by its index: where PATCH goes. Without it nothing can be changed.
 * @param draw is called after each change.
 */
export class Pictures {
  constructor({ address, draw }) {
    Object.assign(this, {
      address,
      draw,
      list: [],
      local: new Map(),
      saving: new Map(),
      saved: new Map(),
      resting: new Map(),
      edits: new Map(),
      onlyLook: false,
      open: new Set(),
      find: '',
      replace: '',
      prefix: '',
    });
  }

  /** Takes a report in. What is being saved is not overwritten by an older answer, nor what was saved after the report was asked for. */
  take(pictures, asked = performance.now()) {
    this.list = pictures.map(p => {
      const mine = this.saving.get(p.index);
      if (mine?.picture && mine.busy) return mine.picture;
      return this.saved.get(p.index) > asked ? this.list.find(q => q.index === p.index) ?? p : p;
    });
  }

  get used() { return this.list.filter(p => !p.removed && p.state !== 'skipped'); }
  get ready() { return this.list.filter(p => p.state !== 'waiting'); }
  get good() { return this.list.filter(p => p.state === 'ready' && !p.removed && !needsLook(p)); }

  async patch(picture, change) {
    const before = picture, wanted = { ...picture, ...change };
    this.put(wanted);
    this.saving.set(picture.index, { busy: true, picture: wanted });
    this.draw();
    try {
      const { data, etag } = await call('PATCH', this.address(picture.index), {
        json: change, headers: picture.etag ? { 'if-match': picture.etag } : {},
      });
      this.put({ ...wanted, ...data, etag: data?.etag ?? etag ?? wanted.etag });
      this.saving.set(picture.index, { done: true });
      this.saved.set(picture.index, performance.now());
      this.edits.set(picture.name, { ...this.edits.get(picture.name), ...change });
      say(w.picture.save);
      return true;
    } catch (e) {
      this.put(before);
      if (e.status === 412) await this.conflict(picture, change);
      else this.saving.set(picture.index, { error: e, change });
      return false;
    } finally {
      this.draw();
    }
  }

  async conflict(picture, change) {
    try {
      const { data } = await call('GET', this.reload());
      this.list = data.pictures;
    } catch { /* the next report brings it */ }
    this.saving.set(picture.index, { conflict: change });
  }

  /** Where the report is read again; set by the page. */
  reload() { return this.report; }

  put(picture) { this.list = this.list.map(p => (p.index === picture.index ? picture : p)); }

  /** What was changed by hand, done again on pictures that were prepared anew. Squares and masks too: they are of the original. */
  async repeatEdits() {
    for (const picture of this.list.filter(p => p.state === 'ready' && this.edits.has(p.name)))
      await this.patch(picture, this.edits.get(picture.name));
  }

  async changeAll(change) {
    let changed = 0;
    for (const picture of this.used) {
      const caption = change(picture.caption ?? '');
      if (caption !== picture.caption && await this.patch(picture, { caption })) changed++;
    }
    say(w.picture.changed(changed));
  }

  template() {
    const shown = this.list.filter(p => !this.onlyLook || needsLook(p));
    return html`<ul class="tiles" aria-label=${w.picture.list}>${shown.map(p => this.tile(p))}</ul>`;
  }

  tile(p) {
    const note = this.saving.get(p.index);
    const classes = `tile ${p.removed || p.state === 'skipped' ? 'out' : needsLook(p) ? 'look' : ''}`;
    return html`<li class=${classes} data-index=${p.index}>
      ${this.frame(p)}
      <p class="name" dir="auto" title=${p.name}>${p.name}</p>
      ${p.state === 'waiting' ? html`<small>${w.picture.waiting}</small>` : nothing}
      ${p.state === 'skipped' ? html`<p class="warn">${w.picture.skipped}: <span dir="auto">${p.reason}</span></p>` : nothing}
      ${p.removed ? html`<p>${w.picture.removed(p.name)}</p>` : nothing}
      ${
        p.state === 'ready' && !p.removed
          ? html` ${this.caption(p)}
              <small
                >${[
                    w.picture.captions[p.caption_source],
                    w.picture.masks[p.mask_source],
                    p.width ? w.picture.size(p.width, p.height) : null,
                    p.times > 1 ? `${count(p.times)} ×` : null,
                  ].filter(Boolean).join(' · ')}</small
              >
              ${
                p.warnings?.length
                  ? html`<ul class="warn">
                      ${p.warnings.map(text => html`<li dir="auto">${text}</li>`)}
                    </ul>`
                  : nothing
              }
              ${p.urls?.picture && p.urls?.mask ? this.trained(p) : nothing}`
          : nothing
      }
      ${this.told(p, note)}
      ${
        this.address && p.state !== 'waiting' && p.state !== 'skipped'
          ? html`<div class="row">
              ${p.state === 'ready' && !p.removed
                ? html`<button type="button" class="small outline secondary" aria-label=${w.mask.openOf(p.name)}
                    @click=${() => this.mask(p)}>${w.mask.open}</button>`
                : nothing}
              <button
                type="button"
                class="small outline secondary"
                @click=${() => this.patch(p, { removed: !p.removed })}
                aria-label=${p.removed ? w.picture.back(p.name) : w.picture.remove(p.name)}
              >
                ${p.removed ? w.undo : w.picture.leaveOut}
              </button>
            </div>`
          : nothing
      }
    </li>`;
  }

  async mask(p) {
    const { trainedMask } = await import('./mask.js');
    const mask = await trainedMask(p);
    if (mask !== undefined) this.patch(this.list.find(q => q.index === p.index), { mask });
  }

  caption(p) {
    if (!this.address) return html`<p dir="auto">${p.caption}</p>`;
    const save = e => { const caption = e.target.value.trim(); if (caption !== (p.caption ?? '')) this.patch(p, { caption }); };
    return html`<textarea dir="auto" rows="2" aria-label=${w.picture.caption(p.index + 1)} .value=${p.caption ?? ''} @blur=${save}
      @keydown=${e => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) save(e); }}></textarea>`;
  }

  told(p, note) {
    if (!note) return nothing;
    if (note.busy) return html`<small>${w.picture.saving}</small>`;
    if (note.done) return html`<small class="good">${w.picture.save}</small>`;
    if (note.conflict)
      return html`<div class="note" role="alert">
        <p>${w.picture.conflict}</p>
        <p dir="auto"><q>${note.conflict.caption ?? JSON.stringify(note.conflict)}</q></p>
        <button type="button" class="small" @click=${() => this.patch(p, note.conflict)}>${w.picture.mineAgain}</button>
      </div>`;
    return html`${problem(note.error)}${note.change?.caption ? html`<p dir="auto"><q>${note.change.caption}</q></p>` : nothing}`;
  }

  /** What training sees: the square as trained, dark where the mask looks away. */
  trained(p) {
    const open = this.open.has(p.index);
    return html`<details
      ?open=${open}
      @toggle=${e => {
        if (e.target.open !== open) {
          e.target.open ? this.open.add(p.index) : this.open.delete(p.index);
          this.draw();
        }
      }}
    >
      <summary><small>${w.picture.more}</small></summary>
      ${open
        ? html`<span class="frame"><img src=${p.urls.picture} alt="" loading="lazy" /><img
              class="mask" src=${p.urls.mask} alt="" loading="lazy" /></span><small>${w.picture.loss}</small>`
        : nothing}
    </details>`;
  }

  frame(p) {
    const source = this.local.get(p.name) ?? p.urls?.thumbnail;
    const image = source ? html`<img src=${source} alt="" loading="lazy" decoding="async">` : nothing;
    if (!p.crop || !p.width) return html`<span class="frame">${image}</span>`;
    const { x, y, size } = p.crop;
    const overlay = html`<svg viewBox="0 0 ${p.width} ${p.height}" aria-hidden="true">${svg`
      <path class="outside" fill-rule="evenodd" d=${`M0 0H${p.width}V${p.height}H0Z M${x} ${y}h${size}v${size}h${-size}Z`}></path>
      <rect class="crop" x=${x} y=${y} width=${size} height=${size}></rect>`}</svg>`;
    if (!this.address || p.removed) return html`<span class="frame">${image}${overlay}</span>`;
    return html`<span
      class="frame"
      tabindex="0"
      role="group"
      aria-label=${w.picture.crop(p.name)}
      @keydown=${e => this.cropKey(e, p)}
      @pointerdown=${e => this.cropDrag(e, p)}
      >${image}${overlay}</span
    >`;
  }

  /** Moves the square on the page alone; whoever moves it sends it when it rests. */
  cropTo(p, { x, y, size }) {
    const largest = Math.min(p.width, p.height);
    const side = Math.round(Math.max(Math.min(64, largest), Math.min(largest, size)));
    const crop = {
      x: Math.round(Math.max(0, Math.min(p.width - side, x))),
      y: Math.round(Math.max(0, Math.min(p.height - side, y))),
      size: side,
    };
    const moved = { ...p, crop };
    this.put(moved);
    this.saving.set(p.index, { busy: true, picture: moved }); // a report that comes meanwhile knows nothing of it
    this.draw();
    return crop;
  }

  /** Arrow keys move; the change is sent once they rest. */
  cropKey(e, p) {
    const step = Math.max(1, Math.round(p.crop.size / 20));
    const by = {
      ArrowLeft: [-step, 0, 0],
      ArrowRight: [step, 0, 0],
      ArrowUp: [0, -step, 0],
      ArrowDown: [0, step, 0],
      '+': [-step / 2, -step / 2, step],
      '-': [step / 2, step / 2, -step],
    }[e.key];
    if (!by) return;
    e.preventDefault();
    const { crop } = this.list.find(q => q.index === p.index);
    this.cropTo(p, { x: crop.x + by[0], y: crop.y + by[1], size: crop.size + by[2] });
    clearTimeout(this.resting.get(p.index));
    this.resting.set(p.index, setTimeout(() => this.patch(p, { crop: this.list.find(q => q.index === p.index).crop }), 600));
  }

  cropDrag(e, p) {
    const overlay = e.currentTarget.querySelector('svg');
    if (!overlay || e.button !== 0) return;
    const toPicture = event => new DOMPoint(event.clientX, event.clientY).matrixTransform(overlay.getScreenCTM().inverse());
    const from = toPicture(e), start = p.crop, frame = e.currentTarget;
    frame.setPointerCapture(e.pointerId);
    let crop = start;
    frame.onpointermove = event => {
      const to = toPicture(event);
      crop = this.cropTo(p, { x: start.x + to.x - from.x, y: start.y + to.y - from.y, size: start.size });
    };
    frame.onpointerup = frame.onpointercancel = () => {
      frame.onpointermove = frame.onpointerup = frame.onpointercancel = null;
      if (crop !== start) this.patch(p, { crop });
    };
  }

  /** Find and replace, and a prefix, over all captions. */
  bulk() {
    const set = name => e => {
      this[name] = e.target.value;
    };
    return html`<details>
      <summary>${w.picture.bulk}</summary>
      <form
        class="row"
        @submit=${e => {
          e.preventDefault();
          if (this.find) this.changeAll(c => c.replaceAll(this.find, this.replace));
        }}
      >
        <label>${w.picture.find}<input dir="auto" @input=${set('find')} /></label
        ><label>${w.picture.replace}<input dir="auto" @input=${set('replace')} /></label>
        <button class="secondary">${w.picture.replaceAll}</button>
      </form>
      <form
        class="row"
        @submit=${e => {
          e.preventDefault();
          if (this.prefix) this.changeAll(c => (c.startsWith(this.prefix) ? c : `${this.prefix}${c}`));
        }}
      >
        <label>${w.picture.prefix}<input dir="auto" @input=${set('prefix')} /></label
        ><button class="secondary">${w.picture.prefixAll}</button>
      </form>
    </details>`;
  }

  /** "11 of 12 are good. 1 needs a look", and the filter for it. */
  verdict() {
    const look = this.list.filter(needsLook).length, all = this.list.filter(p => !p.removed).length;
    if (!all || this.ready.length < this.list.length) return nothing;
    return html`<p class="verdict">
        ${w.start.good(this.good.length, all)} ${look ? html`<span class="warn">${w.start.need(look)}</span>` : nothing}
      </p>
      ${
        look
          ? html`<label
              ><input
                type="checkbox"
                role="switch"
                .checked=${this.onlyLook}
                @change=${e => {
                  this.onlyLook = e.target.checked;
                  this.draw();
                }}
              />
              ${w.start.onlyThose}</label
            >`
          : nothing
      }`;
  }
}

/** Files of an archive that are no picture of the data set, and why. */
export const leftOut = skipped => (skipped?.length ? html`<details><summary>${w.start.skipped(skipped.length)}</summary>
  <ul>${skipped.map(s => html`<li dir="auto">${w.start.refused(s.name, s.reason)}</li>`)}</ul></details>` : nothing);

export const warningsOf = list =>
  list?.length
    ? html`<div class="note">
        <strong>${w.training.warnings}</strong>
        <ul>
          ${list.map(text => html`<li dir="auto">${text}</li>`)}
        </ul>
      </div>`
    : nothing;
