// A mask painted by hand over the whole picture: pointer or keys, size, undo. White (here: clear) is what counts: what training looks at,
// what is drawn anew; black is shown as shade.
import { html, render, nothing } from './vendor/lit-html.js';
import { w } from './words.js';

const longest = 512;

/**
 * Opens the editor.
 * @param picture its width and height, and the url where it is seen.
 * @param texts what white means here: title, looks, all, none; computed, where there is a mask to go back to.
 * @param begin paints what is masked now: it is given the canvas's context and its scale to the picture.
 * @returns {Promise<string|null|undefined>} a data URI; null: back to the computed mask; undefined: nothing changed.
 */
export function paintMask(picture, texts, begin) {
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
    render(
      html`<dialog class="viewer" aria-labelledby="mask-title">
        <div class="row apart">
          <h2 id="mask-title">${texts.title}</h2>
          <div class="row">
            <button type="button" class="small" @click=${() => close(undefined)}>${w.cancel}</button
            ><button type="button" class="small" @click=${() => close(canvas.toDataURL('image/png'))}>${w.mask.save}</button>
          </div>
        </div>
        <div class="paint">
          <img src=${picture.url} alt="" /><canvas
            width=${width}
            height=${height}
            tabindex="0"
            role="img"
            aria-label=${w.mask.canvas}
            @keydown=${key}
            @pointerdown=${e => {
              e.target.setPointerCapture(e.pointerId);
              keep();
              state.down = true;
              place(e);
              dab(state.at);
              draw();
            }}
            @pointermove=${e => {
              place(e);
              if (state.down) dab(state.at);
              draw();
            }}
            @pointerup=${() => {
              state.down = false;
            }}
          ></canvas>
          <svg viewBox="0 0 ${width} ${height}" aria-hidden="true">
            <circle cx=${state.at.x} cy=${state.at.y} r=${state.size / 2}></circle>
          </svg>
        </div>
        <div class="row">
          <label
            ><input
              type="checkbox"
              role="switch"
              .checked=${state.looks}
              @change=${e => {
                state.looks = e.target.checked;
                draw();
              }}
            />
            ${texts.looks}</label
          >
          <label
            >${w.mask.size}<input
              type="range"
              min="8"
              max="200"
              .value=${String(state.size)}
              @input=${e => {
                state.size = Number(e.target.value);
                draw();
              }}
          /></label>
          <button type="button" class="small" @click=${() => fill(true)}>${texts.all}</button
          ><button type="button" class="small" @click=${() => fill(false)}>${texts.none}</button>
          <button type="button" class="small" ?disabled=${!state.undo.length} @click=${undo}>${w.undo}</button
          >${texts.computed ? html`<button type="button" class="small" @click=${() => close(null)}>${texts.computed}</button>` : nothing}
        </div>
      </dialog>`,
      holder,
    );
  }

  draw();
  canvas = holder.querySelector('canvas');
  context = canvas.getContext('2d', { willReadFrequently: true });
  begin(context, scale);
  const dialog = holder.firstElementChild;
  dialog.showModal();
  canvas.focus();
  return new Promise(resolve => dialog.addEventListener('close', () => { holder.remove(); resolve(answer); }));
}

function cover(context, colour) {
  context.fillStyle = colour;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
}

/** The mask of a picture that is trained on. */
export const trainedMask = picture =>
  paintMask({ ...picture, url: picture.urls.thumbnail }, w.mask.ofTraining, (context, scale) => loadMask(picture, context, scale));

/** Which part of a picture is drawn anew: none at first. */
export const repaintMask = picture => paintMask(picture, w.mask.ofDrawing, context => cover(context, '#000'));

/** What is masked now, inside the trained square. Storage elsewhere may not let scripts read it: then one starts from everything. */
async function loadMask(picture, context, scale) {
  cover(context, '#fff');
  if (!picture.urls.mask || picture.mask_source === 'none') return;
  try {
    const bitmap = await createImageBitmap(await (await fetch(picture.urls.mask)).blob());
    const { x, y, size } = picture.crop;
    cover(context, '#000');
    context.drawImage(bitmap, x * scale, y * scale, size * scale, size * scale);
  } catch { /* as said */ }
}
