// A form made from a schema (JSON schema objects with x-order and x-group): numbers with their range, lists, switches, texts; only what
// differs from its default is sent.
import { html, nothing } from './app.js';
import { w } from './words.js';

/** The properties of a schema in their order, references to enums resolved against `schemas`. */
export function fieldsOf(schema, schemas = {}) {
  return Object.entries(schema?.properties ?? {}).map(([name, p]) => {
    const reference = p.allOf?.[0]?.$ref ?? p.$ref;
    const named = reference ? schemas[reference.split('/').pop()] ?? {} : {};
    return { name, ...named, ...p, title: titleOf(name) };
  }).sort((a, b) => (a['x-order'] ?? 999) - (b['x-order'] ?? 999));
}

export const titleOf = name => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');

/** What a control holds, as the API wants it; undefined: nothing, so the default. */
export function valueOf(field, control) {
  if (field.type === 'boolean') return control.checked;
  const text = control.value.trim();
  if (text === '') return undefined;
  return field.type === 'integer' || field.type === 'number' ? Number(text) : text;
}

const isLong = field => field.type === 'string' && /prompt|caption_prefix/.test(field.name);

/** One field with its label, help and, beside it, what the server said of it. */
export function control(field, value, set, { error, id = `f-${field.name}` } = {}) {
  const shown = value ?? field.default ?? '';
  const help = [field.description, rangeOf(field)].filter(Boolean).join(' ');
  const change = e => set(valueOf(field, e.target));
  const told = html`<small id="${id}-help">${help}</small
    >${error ? html`<small class="bad" id="${id}-error" role="alert">${error}</small>` : nothing}`;
  const describedBy = error ? `${id}-help ${id}-error` : `${id}-help`;
  const bad = error ? 'true' : nothing;
  if (field.type === 'boolean')
    return html`<div>
      <label for=${id}
        ><input
          type="checkbox"
          id=${id}
          .checked=${shown === true}
          @change=${change}
          aria-describedby=${describedBy}
        />${field.title}</label
      >${told}
    </div>`;
  if (field.enum)
    return html`<div>
      <label for=${id}>${field.title}</label
      ><select id=${id} @change=${change} aria-describedby=${describedBy}>
        ${field.enum.map(choice => html`<option value=${choice} ?selected=${choice === shown}>${choice}</option>`)}</select
      >${told}
    </div>`;
  if (field.type === 'integer' || field.type === 'number')
    return html`<div>
      <label for=${id}>${field.title}</label
      ><input
        type="number"
        id=${id}
        .value=${String(shown)}
        @change=${change}
        min=${field.minimum ?? nothing}
        max=${field.maximum ?? nothing}
        step=${field.type === 'integer' ? (field.multipleOf ?? 1) : 'any'}
        inputmode=${field.type === 'integer' ? 'numeric' : 'decimal'}
        aria-invalid=${bad}
        aria-describedby=${describedBy}
      />${told}
    </div>`;
  if (isLong(field))
    return html`<div>
      <label for=${id}>${field.title}</label
      ><textarea
        dir="auto"
        id=${id}
        rows="2"
        .value=${String(shown)}
        @input=${change}
        aria-invalid=${bad}
        aria-describedby=${describedBy}
      ></textarea
      >${told}
    </div>`;
  return html`<div>
    <label for=${id}>${field.title}</label
    ><input dir="auto" id=${id} .value=${String(shown)} @change=${change} aria-invalid=${bad} aria-describedby=${describedBy} />${told}
  </div>`;
}

function rangeOf(field) {
  if (field.minimum === undefined && field.maximum === undefined) return '';
  return `(${field.minimum ?? ''} … ${field.maximum ?? ''})`;
}

/** Groups in order of their first field: [name, fields]. */
function grouped(fields) {
  const groups = new Map();
  for (const field of fields) {
    const group = field['x-group'] ?? '';
    groups.set(group, [...(groups.get(group) ?? []), field]);
  }
  return [...groups];
}

/** All fields, with a search over name, title and help. */
export function form(fields, values, set, { search, onSearch, errors = {} }) {
  const wanted = search.trim().toLowerCase();
  const found = fields.filter(f => !wanted || `${f.name} ${f.title} ${f.description}`.toLowerCase().includes(wanted));
  return html`<label>${w.start.settingsSearch}<input type="search" .value=${search} @input=${e => onSearch(e.target.value)} /></label>
    ${grouped(found).map(
      ([group, list]) =>
        html`${group ? html`<h2 class="group">${titleOf(group)}</h2>` : nothing}
          <div class="fields">
            ${list.map(field => control(field, values[field.name], value => set(field, value), { error: errors[field.name] }))}
          </div>`,
    )}`;
}

/** What differs from its default, each with a way back. */
export function chips(values, set) {
  const changed = Object.entries(values).filter(([, value]) => value !== undefined);
  return changed.length
    ? html`<ul class="chips">
        ${changed.map(
          ([name, value]) =>
            html`<li>
              <button
                type="button"
                class="small outline secondary"
                @click=${() => set({ name }, undefined)}
                aria-label=${w.start.back(`${titleOf(name)}: ${String(value).slice(0, 40)}`)}
              >
                <span dir="auto">${titleOf(name)}: ${String(value).slice(0, 40)}</span> ✕
              </button>
            </li>`,
        )}
      </ul>`
    : nothing;
}
