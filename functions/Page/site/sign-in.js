// Signing in: a token once, then a cookie that scripts cannot read. A link of `./sdxl up` holds a one-use code behind '#', which no
// server's log sees.
import { html, show, post, problem, setTitle, nothing } from './app.js';
import { w } from './words.js';

const state = { error: null, busy: false };

/** Only to a page of this site. */
const back = () => {
  const wanted = new URLSearchParams(location.search).get('return') ?? '/';
  return /^\/(?![/\\])/.test(wanted) ? wanted : '/';
};

async function enter(body) {
  Object.assign(state, { busy: true, error: null });
  draw();
  try {
    await post('/v1/session', body, { stayHere: true });
    location.replace(back());
  } catch (e) {
    Object.assign(state, { busy: false, error: e });
    draw();
    document.getElementById('token')?.focus();
  }
}

function submit(e) {
  e.preventDefault();
  const token = new FormData(e.target).get('token').trim();
  if (token) return enter({ token });
  state.error = { detail: w.signIn.none };
  draw();
  document.getElementById('token').focus();
}

function draw() {
  show(html`<h1>${w.signIn.title}</h1><p class="lead">${w.signIn.lead}</p>
    <form class="card" @submit=${submit}>
      <input type="text" name="username" autocomplete="username" value="api" hidden>
      <label for="token">${w.signIn.token}</label>
      <input id="token" name="token" type="password" autocomplete="current-password" spellcheck="false" aria-describedby="token-help"
        aria-invalid=${state.error ? 'true' : nothing} ?readonly=${state.busy}>
      <p class="help" id="token-help">${w.signIn.help}</p>
      ${problem(state.error)}
      <button aria-busy=${state.busy ? 'true' : nothing}>${state.busy ? w.signIn.going : w.signIn.go}</button>
    </form>`);
}

setTitle(w.signIn.title);
const code = new URLSearchParams(location.hash.slice(1)).get('code');
draw();
if (code) {
  history.replaceState(null, '', location.pathname + location.search);
  enter({ code });
}
