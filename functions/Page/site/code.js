// The exact call of what a click does, in five languages. The token is never in it: it stands in SDXL_API_TOKEN.
import { html, copy } from './app.js';
import { w } from './words.js';

const shell = text => `'${String(text).replaceAll("'", "'\\''")}'`;
const pretty = value => JSON.stringify(value, null, 2);
const indent = (text, by) => text.replaceAll('\n', `\n${' '.repeat(by)}`);

/** A JSON value as Python writes it. */
function python(value, by = 0) {
  const pad = ' '.repeat(by + 4);
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) return `[${value.map(v => python(v, by + 4)).join(', ')}]`;
  if (typeof value === 'object')
    return `{\n${Object.entries(value)
      .map(([k, v]) => `${pad}${JSON.stringify(k)}: ${python(v, by + 4)},\n`)
      .join('')}${' '.repeat(by)}}`;
  return JSON.stringify(value);
}

/** A call that sends JSON and shows the answer. */
function request(method, url, body, cli) {
  const json = pretty(body);
  return {
    cli,
    curl:
      `curl -X ${method} ${shell(url)} \\\n` +
      `  -H "Authorization: Bearer $SDXL_API_TOKEN" -H 'Content-Type: application/json' \\\n` +
      `  -d ${shell(json)}`,
    javascript:
      `const answer = await fetch(${JSON.stringify(url)}, {\n  method: '${method}',\n` +
      `  headers: { Authorization: \`Bearer \${process.env.SDXL_API_TOKEN}\`, 'Content-Type': 'application/json' },\n` +
      `  body: JSON.stringify(${indent(json, 2)}),\n});\nconsole.log(await answer.json());`,
    python:
      `import json, os, urllib.request\n\nbody = ${python(body)}\n` +
      `request = urllib.request.Request(\n` +
      `    ${JSON.stringify(url)}, json.dumps(body).encode(), method="${method}",\n` +
      `    headers={"Authorization": f"Bearer {os.environ['SDXL_API_TOKEN']}", "Content-Type": "application/json"})\n` +
      `print(json.load(urllib.request.urlopen(request)))`,
    csharp:
      `using System.Net.Http.Headers;\nusing System.Text;\n\nusing var http = new HttpClient();\n` +
      `http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(` +
      `"Bearer", Environment.GetEnvironmentVariable("SDXL_API_TOKEN"));\n` +
      `var body = """"\n    ${indent(json, 4)}\n    """";\n` +
      `using var answer = await http.PostAsync(${JSON.stringify(url)}, new StringContent(body, Encoding.UTF8, "application/json"));\n` +
      `Console.WriteLine(await answer.Content.ReadAsStringAsync());`,
  };
}

const options = input =>
  Object.entries(input)
    .filter(([, v]) => v !== null && v !== undefined && v !== '')
    .map(([k, v]) => ` \\\n  --${k.replaceAll('_', '-')} ${shell(v)}`)
    .join('');

/** Repeats a training: the same pictures and inputs. */
export const trainingCode = (id, name, base, input, from) =>
  request(
    'POST',
    `${location.origin}/v1/trainings`,
    { check: id, name, base, ...(from ? { from } : {}), input },
    `./sdxl train pictures.zip --name ${shell(name)}${options({ ...(from ? { from } : {}), ...input })}`,
  );

/** Draws with a version, or with the base model alone. */
export const drawingCode = (version, input) =>
  request(
    'POST',
    `${location.origin}/v1/predictions`,
    version ? { version, input } : { input },
    `./sdxl draw ${shell(input.prompt ?? '')} --version ${shell(version ?? 'none')}${options({ ...input, prompt: undefined })}`,
  );

let language = 'curl';

export const codeBlock = (snippets, draw, { open = false } = {}) =>
  html`<details ?open=${open}>
    <summary>${w.code.title}</summary>
    ${codeShown(snippets, draw)}
  </details>`;

/** The same without what folds it. */
export function codeShown(snippets, draw) {
  return html`<div class="row">
      <label
        >${w.code.language}<select
          @change=${e => {
            language = e.target.value;
            draw();
          }}
        >
          ${Object.entries(w.code.languages).map(
            ([key, name]) => html`<option value=${key} ?selected=${key === language}>${name}</option>`
          )}
        </select></label
      >
      <button
        type="button"
        class="small"
        @click=${e => copy(snippets[language], e.currentTarget, e.target.closest('details').querySelector('pre'))}
      >
        ${w.copy}
      </button>
    </div>
    <pre class="code" tabindex="0" role="group" aria-label=${w.code.languages[language]} id="code-shown">${snippets[language]}</pre>
    <small>${w.code.note}</small>`;
}
