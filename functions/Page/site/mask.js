// A mask painted by hand over the whole picture: pointer or keys, size, undo. White (here: clear) is what training looks at, black (here: dark) what it does not.
import { html, render } from './vendor/lit-html.js';
import { w } from './words.js';

const longest = 512;

/**
 * Opens the editor.
 * @param picture of the report: its size, crop, thumbnail and mask.
 * @returns {Promise<string|null|undefined>} a data URI; null: back to the computed mask; undefined: nothing changed.
 */
export function paintMask(picture) {
  const scale = longest / Math.max(picture.width, picture.height);
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  const state = { size: 48, looks: true, at: { x: width / 2, y: height / 2 }, undo: [], down: false };
  const holder = document.body.appendChild(document.createElement('div'));
  let canvas, context, answer;

  const keep = () => { state.undo = [...state.undo.slice(-19), context.getImageData(0, 0, width, height)]; draw(); };
  const fill = white => { keep(); context.fillStyle = white ? '#fff' : '#000'; context.fillRect(0, 0, width, height); };

  function dab({ x, y }) {
    context.fillStyle = state.looks ? '#fff' : '#000';
    context.beginPath();
    context.arc(x, y, state.size / 2, 0, 2 * Math.PI);
    context.fill();
  }

  function place(e) {
    const box = canvas.getBoundingClientRect();
    state.at = { x: (e.clientX - box.left) * width / box.width, y: (e.clientY - box.top) * height / box.height };
  }

  function key(e) {
    const step = Math.max(4, state.size / 4);
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[e.key];
    if (by) state.at = { x: Math.max(0, Math.min(width, state.at.x + by[0])), y: Math.max(0, Math.min(height, state.at.y + by[1])) };
    else if (e.key === ' ') { keep(); dab(state.at); }
    else if (e.key === '+') state.size = Math.min(200, state.size + 8);
    else if (e.key === '-') state.size = Math.max(8, state.size - 8);
    else return;
    e.preventDefault();
    draw();
  }

  function undo() {
    const last = state.undo.pop();
    if (last) context.putImageData(last, 0, 0);
    draw();
  }

  function close(value) {
    answer = value;
    holder.firstElementChild.close();
  }

  function draw() {
    render(html`<dialog class="viewer" aria-labelledby="mask-title"><div class="row apart"><h2 id="mask-title">${w.mask.title}</h2>
      <div class="row"><button type="button" class="small" @click=${() => close(undefined)}>${w.cancel}</button><button type="button" class="small" @click=${() => close(canvas.toDataURL('image/png'))}>${w.mask.save}</button></div></div>
      <div class="paint"><img src=${picture.urls.thumbnail} alt=""><canvas width=${width} height=${height} tabindex="0" role="img" aria-label=${w.mask.canvas}
        @keydown=${key} @pointerdown=${e => { e.target.setPointerCapture(e.pointerId); keep(); state.down = true; place(e); dab(state.at); draw(); }}
        @pointermove=${e => { place(e); if (state.down) dab(state.at); draw(); }} @pointerup=${() => { state.down = false; }}></canvas>
        <svg viewBox="0 0 ${width} ${height}" aria-hidden="true"><circle cx=${state.at.x} cy=${state.at.y} r=${state.size / 2}></circle></svg></div>
      <div class="row"><label><input type="checkbox" role="switch" .checked=${state.looks} @change=${e => { state.looks = e.target.checked; draw(); }}> ${w.mask.looks}</label>
        <label>${w.mask.size}<input type="range" min="8" max="200" .value=${String(state.size)} @input=${e => { state.size = Number(e.target.value); draw(); }}></label>
        <button type="button" class="small" @click=${() => fill(true)}>${w.mask.all}</button><button type="button" class="small" @click=${() => fill(false)}>${w.mask.none}</button>
        <button type="button" class="small" ?disabled=${!state.undo.length} @click=${undo}>${w.undo}</button><button type="button" class="small" @click=${() => close(null)}>${w.mask.computed}</button></div></dialog>`, holder);
  }

  draw();
  canvas = holder.querySelector('canvas');
  context = canvas.getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  loadMask(picture, context, scale);
  const dialog = holder.firstElementChild;
  dialog.showModal();
  canvas.focus();
  return new Promise(resolve => dialog.addEventListener('close', () => { holder.remove(); resolve(answer); }));
}

/** What is masked now, inside the trained square. Storage elsewhere may not let scripts read it: then one starts from everything. */
async function loadMask(picture, context, scale) {
  if (!picture.urls.mask || picture.mask_source === 'none') return;
  try {
    const bitmap = await createImageBitmap(await (await fetch(picture.urls.mask)).blob());
    const { x, y, size } = picture.crop;
    context.fillStyle = '#000';
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    context.drawImage(bitmap, x * scale, y * scale, size * scale, size * scale);
  } catch { /* as said */ }
}
